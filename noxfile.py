"""The developers' loop: `nox -s check`, `nox -s test`, and what else continuous integration runs.

Every session makes an environment of its own, so that nothing depends on what is installed elsewhere; `nox -r` keeps
the environments from one call to the next, which is much faster. What stands after `--` is passed to pytest.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["check", "test"]

TESTS = Path(__file__).parent / "tests"
CORE = "pytest.mark.core"
# Where files are named, pytest leaves out what takes long only if it is told to.
SHORT = "core and not long"
# `.pre-commit-config.yaml` runs the same commands; `test_loop.py` compares the two.
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
# Nothing may be missing that these sessions install, so a skipped test is a failure.
NOTHING_SKIPPED = {"KATAVEN_TESTS_REQUIRE_ALL": "1"}


def core_tests(tests: Path = TESTS) -> list[str]:
    """Return the files with tests marked `core`, at any depth; other files import what that session lacks.

    Raises
    ------
    FileNotFoundError
        There is none: pytest would take no argument to mean all files.
    """
    found = [str(path) for path in sorted(tests.rglob("test_*.py")) if CORE in path.read_text(encoding="utf-8")]
    if not found:
        raise FileNotFoundError(f"no test under {tests} is marked with {CORE}")
    return found


def named_tests(*names: str, tests: Path = TESTS) -> list[str]:
    """Return the test files of these names, in whichever folder they are.

    Raises
    ------
    FileNotFoundError
        There is no test file of one of the names.
    """
    found = []
    for name in names:
        paths = sorted(tests.rglob(name))
        if not paths:
            raise FileNotFoundError(f"there is no {name} under {tests}: correct its name in noxfile.py")
        found += map(str, paths)
    return found


@nox.session
def check(session: nox.Session) -> None:
    """Check style, format and types."""
    # mypy reads the types of these extras; the rest of them ship none.
    session.install("--editable", ".[dask,lint,parquet,plots,study]")
    for command in CHECKS:
        session.run(*command)


@nox.session
def test(session: nox.Session) -> None:
    """Run all tests on the installed wheel; those in a browser need chromium and npm, and are skipped without."""
    session.install(".[test]")
    session.run("pytest", "-q", *session.posargs)


@nox.session
def core(session: nox.Session) -> None:
    """Run the tests marked `core` with the oldest declared dependencies and with pandas 2."""
    lowest = Path(session.virtualenv.location) / "lowest.txt"
    lowest.write_text(str(session.run("python", ".ci/lowest.py", "av", "parquet", silent=True)), encoding="utf-8")
    tools = ("pytest", "pytest-timeout", "hypothesis", "ipykernel", "jupyter-client")
    session.install("--constraint", str(lowest), ".[av,parquet]", *tools)
    options = ("-p", "no:cacheprovider", "-m", SHORT, *core_tests(), *session.posargs)
    session.run("pytest", "-q", *options, env=NOTHING_SKIPPED)


@nox.session
def fast(session: nox.Session) -> None:
    """Run the tests that need no browser, notebook or object store, with the newest dependencies."""
    tools = ("pytest", "pytest-timeout", "hypothesis", "ipykernel", "jupyter-client")
    session.install(".[av,dask,parquet]", *tools)
    options = ("-p", "no:cacheprovider", *session.posargs)
    # What other sessions run too says nothing of a version of Python: pages, packages, and the loop itself.
    tests = [path for path in core_tests() if Path(path).parent.name != "project"]
    session.run("pytest", "-q", "-m", SHORT, *tests, *options, env=NOTHING_SKIPPED)
    session.run("pytest", "-q", "-m", "not long", *named_tests("test_executor.py"), *options, env=NOTHING_SKIPPED)


@nox.session
def bare(session: nox.Session) -> None:
    """Run the tests of an install without extras: the main job works, and what needs an extra names it."""
    session.install(".", "pytest", "pytest-timeout")
    options = ("-p", "no:cacheprovider", *named_tests("test_bare_install.py"), *session.posargs)
    session.run("pytest", "-q", *options, env=NOTHING_SKIPPED)


@nox.session
def long(session: nox.Session) -> None:
    """Run the tests that wait for many seconds, and every key in every front end."""
    session.install(".[test]")
    # Not named as tests are, so that they are collected here alone.
    matrices = [str(path) for path in sorted(TESTS.rglob("every_*.py"))]
    session.run("pytest", "-q", "-m", "long", str(TESTS), *matrices, *session.posargs, env=NOTHING_SKIPPED)


@nox.session
def docs(session: nox.Session) -> None:
    """Run the tests of pages and notebooks: examples, links, tables and commands. `test` runs them too."""
    session.install(".[test]")
    pages = named_tests("test_docs.py", "test_readme_code.py", "test_notebooks.py", "test_loop.py")
    session.run("pytest", "-q", *pages, *session.posargs)


@nox.session
def recipes(session: nox.Session) -> None:
    """Run the recipes of README and docs with the models that they need, which no other session installs."""
    session.install(".", "pytest", "pytest-timeout", "pocketsphinx", "speechmos", "onnxruntime", "librosa", "requests")
    found = [str(path) for path in sorted((TESTS / "recipes").glob("*.py"))]
    session.run("pytest", "-q", "-p", "no:cacheprovider", *found, *session.posargs, env=NOTHING_SKIPPED)


@nox.session(venv_backend="none")
def ci(session: nox.Session) -> None:
    """Run exactly what continuous integration runs."""
    session.run("bash", ".ci/run", external=True)
