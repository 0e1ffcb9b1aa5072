"""The documentation is true: examples run, links lead somewhere, tables name what there is."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import kataven_notebook as kn
from kataven_notebook import demo, settings
from kataven_notebook.run import supervise
from kataven_notebook.sound.formats import FORMATS

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(kn.__path__, "kataven_notebook.")
    if not name.endswith("__main__") and "make_calls" not in name
)


@pytest.fixture(autouse=True)
def unconfigured(monkeypatch) -> None:
    """Examples find a process in which nothing was configured or interrupted, and leave it so."""
    monkeypatch.setattr(settings, "_configured", {})
    monkeypatch.setattr(supervise, "_LAST", [])


class FindDecorated(doctest.DocTestFinder):
    """Finds the examples of functions that have a decorator too."""

    def _from_module(self, module, object) -> bool:  # noqa: A002 - its base's name
        return super()._from_module(module, inspect.unwrap(object) if callable(object) else object)


def test_examples_of_decorated_functions_are_found() -> None:
    """They are most of what the package offers."""
    module = importlib.import_module("kataven_notebook.frame.fetch")
    found = {each.name.rpartition(".")[2] for each in FindDecorated().find(module) if each.examples}
    assert found == {"recordings", "audio", "summary", "iter_recordings", "interrupted"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    """Offline, and with the result that they show."""
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for each in FindDecorated().find(module):
        runner.run(each)
    assert runner.failures == 0


def test_the_readme_begins_with_a_command_that_needs_no_account() -> None:
    """Within thirty lines, and the test command too."""
    beginning = "\n".join(README.splitlines()[:30])
    assert "kataven-notebook demo" in beginning
    assert "pytest" in beginning


@pytest.mark.parametrize(
    "page",
    [
        *("README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"),
        *(str(page.relative_to(PROJECT)) for page in sorted((PROJECT / "docs").glob("*.md"))),
    ],
)
def test_links_lead_to_files_that_are_there(page: str) -> None:
    """Pictures and notebooks included."""
    path = PROJECT / page
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{page} links to {target}"


def test_the_readme_lists_every_status_and_every_function() -> None:
    """No more and no less."""
    listed = re.findall(r"^\| `(\w+)` \| (?!the frame)", README, re.MULTILINE)
    assert [each for each in listed if each in set(kn.Status)] == [str(each) for each in kn.Status]
    functions = {name for name in kn.__all__ if name.islower() and not name.startswith("_")}
    for name in functions - {"demo", "errors", "configure", "interrupted"}:
        assert f"`{name}`" in README, f"the README does not name {name}"


def test_the_readme_counts_faults_and_names_formats_as_they_are() -> None:
    """One that is added is counted and named."""
    names = demo.fault_names()
    kinds = {name.partition(":")[2] for name in names}
    assert f"all {len(names)} faults ({len(kinds)} kinds" in README
    extras = next(line for line in README.splitlines() if line.startswith("Extras"))
    assert set(re.findall(r"\w+", extras.lower())) >= FORMATS


def names_of_tests() -> set[str]:
    """The names of all test functions."""
    files = (PROJECT / "tests").rglob("*.py")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/promises.md"])
def test_what_holds_a_promise_is_there(page: str) -> None:
    """Tests by their names, files, and benchmarks with the words that they are called with."""
    named = re.findall(r"`([^`\n]+)`", (PROJECT / page).read_text(encoding="utf-8"))
    tests = {each for each in named if re.fullmatch(r"test_\w+", each)}
    assert tests <= names_of_tests(), tests - names_of_tests()
    files = {word for each in named for word in each.split() if word.startswith(("tests/", "benchmarks/", ".ci/"))}
    assert {each for each in files if not (PROJECT / each).is_file()} == set()
    for script, words in re.findall(r"(benchmarks/\w+\.py)((?: [a-z]+)*)", "\n".join(named)):
        text = (PROJECT / script).read_text(encoding="utf-8")
        assert all(re.search(rf"\b{word}\b", text) for word in words.split()), f"{script}{words}"


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/promises.md"])
def test_every_promise_is_held_by_something(page: str) -> None:
    """A row that names neither a test nor a benchmark holds nothing."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    tables = re.findall(r"^\| promise \| held by \|\n\| --- \| --- \|\n((?:\|.*\n?)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) >= 15
    for row in rows:
        held_by = row.removesuffix("|").rpartition("|")[2]
        assert re.search(r"`(?:test_|tests/|python benchmarks/)|\]\(\.\./SECURITY\.md#", held_by), row


def test_promises_are_listed_in_the_order_of_the_readme() -> None:
    """Under its headings; a section that is added there needs its promises here."""
    page = (PROJECT / "docs" / "promises.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)", page, re.MULTILINE) == re.findall(r"^## (.+)", README, re.MULTILINE)


def test_no_placeholder_is_left() -> None:
    """Everything that was to be filled in is."""
    assert "@@" not in README
