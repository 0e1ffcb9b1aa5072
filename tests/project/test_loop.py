"""The developers' loop: nox, pre-commit, continuous integration and the README run the same checks and tests."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

PROJECT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").exists())
README = (PROJECT / "README.md").read_text(encoding="utf-8")
RUN = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
# What the README's test command covers, and what runs `.ci/run` itself.
COVERED = {"test", "docs", "ci"}


def module(path: Path) -> ModuleType:
    """A file outside the package, imported."""
    spec = importlib.util.spec_from_file_location(f"loop_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def noxfile() -> ModuleType:
    """The sessions."""
    return module(PROJECT / "noxfile.py")


class Recorder:
    """A session that notes what it is to install and to run, and does neither."""

    def __init__(self, folder: Path) -> None:
        self.posargs: list[str] = []
        self.virtualenv = SimpleNamespace(location=str(folder))
        self.installed: list[str] = []
        self.ran: list[tuple[str, ...]] = []
        self.env: dict[str, str] = {}

    def install(self, *arguments: str) -> None:
        """Note what pip would be given."""
        self.installed += arguments

    def run(self, *command: str, env: dict[str, str] | None = None, **_: object) -> str:
        """Note a command."""
        self.ran.append(command)
        self.env |= env or {}
        return ""


@pytest.fixture
def recorded(noxfile, tmp_path):
    """A function that returns what a session of this name does."""

    def record(name: str) -> Recorder:
        session = Recorder(tmp_path)
        getattr(noxfile, name)(session)
        return session

    return record


def sessions() -> set[str]:
    """The names of all sessions, as nox lists them."""
    command = [sys.executable, "-m", "nox", "--noxfile", PROJECT / "noxfile.py", "--list-sessions"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(re.findall(r"^[*-] (\w+) -> \w", done.stdout, re.MULTILINE))


def readme_command(purpose: str) -> str:
    """The README's command of that purpose, as `.ci/run` finds it."""
    return str(module(PROJECT / ".ci" / "readme_command.py").command(README, purpose)).strip()


def hooks() -> list[dict[str, object]]:
    """The hooks of pre-commit."""
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [each["repo"] for each in config["repos"]] == ["local"]
    return list(config["repos"][0]["hooks"])


def test_a_commit_runs_the_checks_of_the_check_session(recorded) -> None:
    """The same commands in the same order, over the whole project, from the active environment."""
    assert [str(hook["entry"]).split() for hook in hooks()] == [list(each) for each in recorded("check").ran]
    assert all(
        (hook["language"], hook["pass_filenames"], hook["always_run"]) == ("system", False, True) for hook in hooks()
    )


def test_pre_commit_accepts_its_configuration() -> None:
    """With no word of warning."""
    command = [sys.executable, "-m", "pre_commit", "validate-config", PROJECT / ".pre-commit-config.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_continuous_integration_leaves_no_session_out() -> None:
    """It runs each one that the README's test command does not cover."""
    found = re.findall(r"--sessions ([\w ]+)$", RUN, re.MULTILINE)
    assert set(" ".join(found).split()) == sessions() - COVERED


def test_the_test_session_is_the_command_of_the_readme(recorded) -> None:
    """Both install the same extras from the same place, and run the same tests."""
    session = recorded("test")
    pip, pytest_ = re.findall(r"\.venv-test/bin/(.*?)(?: && |$)", readme_command("test"))
    assert ["pip install --quiet " + " ".join(f'"{each}"' for each in session.installed)] == [pip]
    assert [" ".join(command) for command in session.ran] == [pytest_]


def test_the_ci_session_is_continuous_integration(recorded) -> None:
    """It is the script itself."""
    assert recorded("ci").ran == [("bash", ".ci/run")]


@pytest.mark.parametrize("name", ["core", "fast", "bare", "long", "recipes"])
def test_nothing_is_skipped_where_all_that_is_needed_is_installed(name, recorded) -> None:
    """A skipped test fails the session."""
    assert recorded(name).env == {"KATAVEN_TESTS_REQUIRE_ALL": "1"}


@pytest.mark.parametrize("name", ["test", "core", "fast", "bare", "long", "docs", "recipes"])
def test_the_tests_run_on_the_installed_package(name, recorded) -> None:
    """On what a wheel holds: neither an editable install nor `python -m`, which imports from the working directory."""
    session = recorded(name)
    assert not {"-e", "--editable"} & set(session.installed)
    assert session.ran[-1][0] == "pytest"


@pytest.mark.long
def test_what_takes_long_has_a_session_of_its_own() -> None:
    """It is left out where nobody asks for it, and run where its marker or its file is named."""

    def collected(*options: str) -> str:
        command = [
            sys.executable,
            "-P",
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "-o",
            "testpaths=tests/promises",
            *options,
        ]
        done = subprocess.run(
            [*command, *options], capture_output=True, text=True, check=False, cwd=PROJECT, timeout=120
        )
        assert done.returncode == 0, done.stdout[-3_000:]
        return done.stdout

    name = "test_wrong_limits.py"
    assert name not in collected()
    assert name in collected("-m", "long")
    assert name in collected(f"tests/promises/{name}")


def test_the_core_session_has_the_lowest_versions_as_constraints(recorded, tmp_path) -> None:
    """As `.ci/lowest.py` prints them."""
    session = recorded("core")
    assert session.ran[0] == ("python", ".ci/lowest.py", "av", "parquet")
    assert session.installed[:3] == ["--constraint", str(tmp_path / "lowest.txt"), ".[av,parquet]"]


@pytest.mark.long
def test_the_core_session_runs_every_test_marked_core(noxfile) -> None:
    """Wherever its file lies and however it is marked."""
    command = [sys.executable, "-P", "-m", "pytest", "--collect-only", "-q", "-m", "core", PROJECT / "tests"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, timeout=120)
    assert done.returncode == 0, done.stdout[-3_000:]
    marked = {str(PROJECT / line.partition("::")[0]) for line in done.stdout.splitlines() if "::" in line}
    assert marked
    assert marked <= set(noxfile.core_tests())


def test_the_recipes_session_runs_every_recipe(recorded) -> None:
    """Its files are not named as tests are, so that they are collected here alone."""
    files = {str(path) for path in (PROJECT / "tests" / "recipes").glob("*.py")}
    assert len(files) >= 3
    assert files <= set(recorded("recipes").ran[-1])


def test_tests_are_found_at_any_depth(noxfile, tmp_path) -> None:
    """Beside each other and in folders of folders."""
    marked = f"pytestmark = {noxfile.CORE}\n"
    for name, text in {
        "test_a.py": marked,
        "wing/test_b.py": marked,
        "wing/deep/test_c.py": "",
        "d.py": marked,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert noxfile.core_tests(tmp_path) == [str(tmp_path / "test_a.py"), str(tmp_path / "wing/test_b.py")]
    assert noxfile.named_tests("test_c.py", tests=tmp_path) == [str(tmp_path / "wing/deep/test_c.py")]


def test_a_session_without_tests_fails(noxfile, tmp_path) -> None:
    """Without paths pytest would run something else."""
    with pytest.raises(FileNotFoundError, match="no test under"):
        noxfile.core_tests(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no test_gone\.py"):
        noxfile.named_tests("test_gone.py", tests=tmp_path)


def test_the_source_distribution_holds_the_loop() -> None:
    """Whoever unpacks it can run the same sessions."""
    config = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    included = set(config["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    assert included >= {"/noxfile.py", "/.ci", "/.pre-commit-config.yaml"}


STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>"$LOG"
echo "$(basename "$0") says something"
case "$(basename "$0") $*" in $FAILS) exit 1 ;; esac
"""
VENV = """#!/bin/sh
mkdir -p "$3/bin"
for name in pip nox pytest kataven-notebook; do ln -sf "$STUB" "$3/bin/$name"; done
ln -sf {python} "$3/bin/python"
"""


def in_place_of_a_machine(folder: Path, *, fails: str = "", installed: tuple[str, ...] = ("chromium", "npm")):
    """Run `.ci/run` where Python, its environments and the system's packages only note what they are asked for.

    Returns its exit status, the lines that it prints, and what was asked for.
    """
    (folder / "bin").mkdir(exist_ok=True)
    shutil.copytree(PROJECT / ".ci", folder / ".ci")
    (folder / "README.md").write_text(README, encoding="utf-8")
    for name in ("bash", "sh", "basename", "cat", "dirname", "ln", "mkdir", "mktemp", "rm"):
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    stub = folder / "stub"
    stub.write_text(STUB)
    stub.chmod(0o755)
    for name in ("apt-get", *installed):
        (folder / "bin" / name).symlink_to(stub)
    (folder / "bin" / "python3").write_text(VENV.format(python=sys.executable))
    (folder / "bin" / "python3").chmod(0o755)
    environment = {
        "PATH": str(folder / "bin"), "LOG": str(folder / "log"), "STUB": str(stub), "FAILS": fails,
        "TMPDIR": str(folder), "HOME": str(folder),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", folder / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout.splitlines(), (folder / "log").read_text().splitlines()


def test_continuous_integration_ends_with_the_test_command_of_the_readme(tmp_path) -> None:
    """Called directly and last, so that pytest's summary is the last line that is printed."""
    assert RUN.splitlines()[-1] == readme_command("test")
    status, said, asked = in_place_of_a_machine(tmp_path)
    assert status == 0
    assert said[-1] == "pytest says something"
    assert asked[-2:] == ["pip install --quiet .[test]", "pytest -q"]
    assert "kataven-notebook demo" in asked
    assert re.search(r"^export KATAVEN_TESTS_REQUIRE_ALL=1$", RUN, re.MULTILINE)


@pytest.mark.parametrize(
    "fails", ["nox *", "pip install --quiet .", "kataven-notebook demo", "pip install --quiet .?test?", "pytest -q"]
)
def test_continuous_integration_stops_at_the_first_failure(fails, tmp_path) -> None:
    """And is red."""
    status, _, asked = in_place_of_a_machine(tmp_path, fails=fails)
    assert status != 0
    assert fnmatch.fnmatchcase(asked[-1], fails)


def test_continuous_integration_installs_the_programs_that_tests_need(tmp_path) -> None:
    """Those that are missing, after the system's lists of packages were brought up to date."""
    _, _, asked = in_place_of_a_machine(tmp_path, installed=("chromium",))
    assert asked[:2] == ["apt-get update -qq", "apt-get install -y -qq --no-install-recommends npm"]


# Interpreters that say of themselves which version they are; one of them is broken, as a shim of pyenv may be.
VERSIONS = {
    "bin/python3.12": "exit 127",
    ".pyenv/versions/3.12.1/bin/python": "echo 3.12",
    ".pyenv/versions/3.13.0/bin/python": "echo 3.11",
}


def test_continuous_integration_takes_the_versions_of_python_that_are_there(tmp_path) -> None:
    """From the path or from pyenv, each once; one that is not there is left out in one line."""
    for name, does in VERSIONS.items():
        path = tmp_path / "machine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)
    status, said, asked = in_place_of_a_machine(tmp_path / "machine")
    assert status == 0
    taken = [re.search(r"--force-python (\S+) --sessions fast$", each) for each in asked]
    names = [Path(each[1]).relative_to(tmp_path / "machine").as_posix() for each in taken if each is not None]
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert names == [name for name in [".pyenv/versions/3.12.1/bin/python"] if here != "3.12"]
    left_out = [each for each in said if each.startswith("There is no Python")]
    missing = [version for version in ("3.11", "3.13") if version != here]
    assert left_out == [f"There is no Python {version} here: it is left out." for version in missing]


def test_contributing_names_every_session() -> None:
    """And none that there isn't."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"nox -s (\w+)", text)) == sessions()


def is_there(token: str) -> bool:
    """Whether the project has a file or folder, or the package a module or a name in it, that a page calls so."""
    package = PROJECT / "kataven_notebook"
    if (PROJECT / token).exists() or (package / token).exists():
        return True
    module_name, _, name = token.partition(".")
    path = package / f"{module_name}.py"
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    # A method is named after its class.
    return all(re.search(rf"^ *(?:def|class) {each}\b", text, re.MULTILINE) for each in filter(None, name.split(".")))


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_what_a_page_for_developers_names_is_there(page) -> None:
    """Files, folders, modules, and functions in modules."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    named = re.findall(r"`([\w.-]+/[\w./-]*)`", text)
    assert named
    assert [each for each in named if not is_there(each)] == []
