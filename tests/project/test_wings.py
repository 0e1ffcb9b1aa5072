"""The wings of the package: one table says which wing may import which, and every import is held against it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "kataven_notebook"
GROUND = {"_version", "clock", "errors", "notices", "redact", "settings", "signals", "status"}
"""Modules of the package's own folder that every wing stands on; the others there are the top."""

BELOW_RUN = {"ground", "machine", "sound", "service", "store"}
BELOW_FRAME = BELOW_RUN | {"speech", "run", "numbers"}
RULES: dict[str, set[str]] = {
    "ground": set(),
    "machine": set(),
    "sound": {"ground"},
    "service": {"ground", "machine"},
    "store": {"ground", "machine", "sound"},
    "speech": {"ground", "machine", "sound"},
    "run": BELOW_RUN,
    "numbers": {"ground", "sound", "speech"},
    "frame": BELOW_FRAME,
    "plots": {"ground", "sound", "speech", "numbers"},
    "exchange": BELOW_FRAME | {"frame"},
    "desk": (BELOW_FRAME | {"frame"}) - {"run"},
    "demo": {"ground"},
    "top": BELOW_FRAME | {"frame", "plots", "exchange", "desk", "demo"},
}
"""Which wings a wing may import beside itself: type-only imports and imports inside functions count too."""


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


def is_for_types(node: ast.AST) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


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
        if is_for_types(node) and not with_types:
            continue
        todo += ast.iter_child_nodes(node)
    return frozenset(found)


def test_every_wing_has_a_rule() -> None:
    """A folder that is added without one is not covered by the other tests."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders | {"ground", "top"} == set(RULES)


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


def test_the_demo_takes_settings_alone() -> None:
    """So that it can't mirror the client's mistakes."""
    used = {each for name in MODULES if wing_of(name) == "demo" for each in imports_of(name, with_types=True)}
    assert {each for each in used if wing_of(each) != "demo"} == {"settings"}


def test_a_wing_says_what_is_in_it() -> None:
    """In its docstring: what it holds, what comes in, what goes out, what it may import."""
    for wing in set(RULES) - {"ground", "top", "demo", "plots"}:
        text = " ".join((ast.get_docstring(ast.parse(MODULES[wing].read_text(encoding="utf-8"))) or "").split())
        for phrase in ("come", "out", "import"):
            assert phrase in text, f"{wing} does not say {phrase!r}"


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
