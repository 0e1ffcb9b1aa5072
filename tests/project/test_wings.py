"""The wings of the package: one table says which wing may import which, and every import is held against it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "kataven_notebook"
GROUND = {
    *("_version", "arguments", "clock", "defaults", "errors", "hints", "notices", "redact", "settings"),
    *("signals", "status"),
}
"""Modules of the package's own folder that every wing stands on."""
TOP = {"__init__", "__main__", "accessor", "check_command", "command_line", "measure_command", "overview"}
"""Those that stand on every wing."""

BELOW_RUN = {"ground", "machine", "sound", "service", "store"}
BELOW_FRAME = BELOW_RUN | {"speech", "run", "numbers", "stats"}
RULES: dict[str, set[str]] = {
    "ground": set(),
    "machine": set(),
    "sound": {"ground", "machine"},
    "service": {"ground", "machine"},
    "store": {"ground", "machine", "sound"},
    "speech": {"ground", "machine", "sound"},
    "run": BELOW_RUN,
    "numbers": {"ground", "sound", "speech"},
    "stats": {"ground"},
    "frame": BELOW_FRAME,
    "plots": {"ground", "sound", "speech", "numbers", "stats"},
    "exchange": BELOW_FRAME | {"frame"},
    "desk": (BELOW_FRAME | {"frame"}) - {"run"},
    "words": BELOW_FRAME | {"frame"},
    "study": BELOW_FRAME | {"frame"},
    "publish": BELOW_FRAME | {"frame", "plots", "exchange"},
    "demo": {"ground"},
    "top": BELOW_FRAME | {"frame", "plots", "exchange", "desk", "words", "study", "publish", "demo"},
}
"""Which wings a wing may import beside itself: type-only imports and imports inside functions count too."""

WITHOUT = {
    "numbers": {"pandas", "httpx"},
    "stats": {"pandas", "httpx"},
    "run": {"pandas"},
    "speech": {"pandas", "httpx"},
    "sound": {"pandas", "httpx"},
    "service": {"pandas"},
    "ground": {"pandas", "httpx", "numpy"},
}
"""Which libraries a wing does without when it runs; for types it may name them."""


def name_of(path: Path) -> str:
    """Return a module's name within the package, such as `service.client`; a wing's `__init__` has the wing's."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


def wing_of(module: str) -> str:
    """Return the wing that a module stands in."""
    first, _, rest = module.partition(".")
    if rest or (PACKAGE / first / "__init__.py").exists():
        return first
    return "ground" if first in GROUND else "top"


def parts_that_run(node: ast.AST) -> list[ast.AST]:
    """Return the children of a node, without what stands under `if TYPE_CHECKING:`."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def named_modules(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the package's modules that one import statement names."""
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    elif node.level:
        pytest.fail(f"line {node.lineno}: imports name the package in full")
    else:
        # What follows `import` may be a module, or a name within one.
        dotted = [f"{node.module}.{alias.name}" for alias in node.names]
    found = set()
    for each in dotted:
        if each.split(".")[0] == PACKAGE.name:
            inner = each.removeprefix(PACKAGE.name).removeprefix(".")
            found.add(inner if inner in MODULES else inner.rpartition(".")[0] or "__init__")
    return found


@cache
def imports_of(module: str, *, with_types: bool) -> frozenset[str]:
    """Return the package's modules that a module imports anywhere in its file."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(MODULES[module].read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= named_modules(node)
        todo += ast.iter_child_nodes(node) if with_types else parts_that_run(node)
    return frozenset(found)


def libraries_of(module: str) -> set[str]:
    """Return the top-level names of what a module imports when it runs, in functions too."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(MODULES[module].read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        todo += parts_that_run(node)
    return found


def test_every_wing_has_a_rule() -> None:
    """A folder that is added without one is not covered by the other tests."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders | {"ground", "top"} == set(RULES)
    single = {name for name in MODULES if "." not in name and name not in folders}
    assert single == GROUND | TOP, "a module in the package's own folder is of the ground or of the top: say which"


def test_wings_stand_on_wings_below_them() -> None:
    """There is an order of the wings in which each may import only earlier ones."""
    placed: set[str] = set()
    while ready := {wing for wing, below in RULES.items() if wing not in placed and below <= placed}:
        placed |= ready
    assert set(RULES) == placed


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_its_wing_may(module: str) -> None:
    """At its top, inside functions, and for types."""
    wing = wing_of(module)
    allowed = RULES[wing] | {wing}
    used = imports_of(module, with_types=True)
    assert not {each for each in used if wing_of(each) not in allowed}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__"}))
def test_imports_are_statements(module: str) -> None:
    """The other tests can't read what is imported by its name in a text; the package's `__init__` alone does so."""
    source = MODULES[module].read_text(encoding="utf-8")
    assert not re.search(r"\b(import_module|__import__|resolve_name|spec_from_file_location|runpy)\b", source)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_wing_does_without_what_it_says(module: str) -> None:
    """So that it can be used, and tested, apart from frames or from the network."""
    assert not libraries_of(module) & WITHOUT.get(wing_of(module), set())


def test_no_imports_run_in_a_circle() -> None:
    """There is an order of all modules in which each imports only earlier ones, imports inside functions counted."""
    graph = {name: imports_of(name, with_types=False) - {name} for name in MODULES}
    placed: set[str] = set()
    while ready := {name for name, needs in graph.items() if name not in placed and needs <= placed}:
        placed |= ready
    assert set(graph) == placed, f"these import each other in a circle: {sorted(set(graph) - placed)}"


def test_the_drawing_shows_the_imports_between_wings() -> None:
    """Each of them, and none that is not in the code."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.split("```mermaid")[1].split("```")[0]
    drawn = re.findall(r"^ *(\w+) --> (\w+)$", drawing, re.MULTILINE)
    edges = {(wing_of(name), wing_of(each)) for name in MODULES for each in imports_of(name, with_types=True)}
    found = {(wing, below) for wing, below in edges if wing != below}
    assert set(drawn) == found, f"not drawn: {sorted(found - set(drawn))}; not there: {sorted(set(drawn) - found)}"


def test_a_module_can_be_read_in_one_sitting() -> None:
    """400 lines at most; what the page of the player runs too."""
    paths = [*MODULES.values(), *PACKAGE.rglob("*.js")]
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert not {name: length for name, length in lengths.items() if length > 400}


def test_the_demo_takes_settings_alone() -> None:
    """So that it can't mirror the client's mistakes."""
    used = {each for name in MODULES if wing_of(name) == "demo" for each in imports_of(name, with_types=True)}
    assert {each for each in used if wing_of(each) != "demo"} == {"settings"}


def test_a_wing_says_what_is_in_it() -> None:
    """In its docstring: what it holds, what comes in, what goes out, what it may import."""
    for wing in set(RULES) - {"ground", "top", "demo"}:
        text = " ".join((ast.get_docstring(ast.parse(MODULES[wing].read_text(encoding="utf-8"))) or "").split())
        for phrase in (r"\bcomes? in\b", r"\b(go|goes|come) out\b", r"\bmay import\b"):
            assert re.search(phrase, text), f"{wing} does not say {phrase!r}"


TESTED_ELSEWHERE = {
    "__init__": "tests/project/test_package.py holds what the package exports",
    "__main__": "tests/test_command_line.py runs the command",
    "_version": "tests/project/test_package.py compares it with the wheel",
}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {wing for wing in RULES if wing in MODULES}))
def test_a_module_has_tests_of_its_own_name(module: str) -> None:
    """In the folder of its wing, or its wing's docstring says where it is tested instead."""
    *folder, name = module.split(".")
    if module in TESTED_ELSEWHERE or TESTS.joinpath(*folder, f"test_{name}.py").exists():
        return
    assert folder, f"{module} has no tests/test_{name}.py"
    text = ast.get_docstring(ast.parse(MODULES[folder[0]].read_text(encoding="utf-8"))) or ""
    assert "modules are tested together" in text, f"{module} has no tests/{folder[0]}/test_{name}.py"
