"""Joining the modules of the page: in order, each in its scope, and refused where that would change them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import unpacked

from kataven_notebook.desk.page import Desk
from kataven_notebook.desk.script import compact_style, join_modules, packed

pytestmark = pytest.mark.core

STATIC = Path(__file__).parents[2] / "kataven_notebook" / "desk" / "static"


def join(folder: Path, **modules: str) -> str:
    """Write modules, and join what `player` imports."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return join_modules(folder)


def test_what_is_imported_comes_first_and_once(tmp_path: Path) -> None:
    """Also where two modules import it."""
    joined = join(
        tmp_path,
        player='import { b } from "./b.js";\nimport { a } from "./a.js";\nexport default { b, a };\n',
        b='import { a } from "./a.js";\nexport const b = a + 1;\n',
        a="export const a = 1;\n",
    )
    assert joined == (
        "const $a = (() => {\nconst a = 1;\nreturn { a };\n})();\n"
        "const $b = (() => {\nconst { a } = $a;\nconst b = a + 1;\nreturn { b };\n})();\n"
        "const { b } = $b;\nconst { a } = $a;\nexport default { b, a };\n"
    )


def test_a_style_sheet_keeps_what_means_something() -> None:
    """Spaces between selectors and in texts stay; comments and the rest go."""
    sheet = '/* a; b */\na :hover, b > c {\n\tfont: 1px/2 x, y;\n\t&::after { content: " · "; }\n}\n'
    assert compact_style(sheet) == 'a :hover,b > c{font:1px/2 x,y;&::after{content:" · ";}}'
    strings = re.findall(r'"[^"]*"', re.sub(r"/\*.*?\*/", "", (STATIC / "player.css").read_text(), flags=re.DOTALL))
    assert all(each in str(Desk._css) for each in strings)


def test_comments_and_spaces_that_begin_a_line_are_left_out(tmp_path: Path) -> None:
    """What stands behind them on the line stays, and so does what only looks like one."""
    joined = join(
        tmp_path,
        player="// why\n/** @type {X} */ const x = 'http://y';\n\n/**\n * more\n */\n"
        "f(\n\t`a  b`);\n// and\nf(); // last\n",
    )
    assert joined == "const x = 'http://y';\nf(\n`a  b`);\nf(); // last\n"


def test_the_packed_script_holds_all_of_it() -> None:
    """As the page unpacks it."""
    text = unpacked(packed('f("\u05e9", `"`);\n'))
    assert text.startswith('f("\u05e9", `"`);\n')
    assert len(str(Desk._esm)) < len(unpacked(str(Desk._esm))) / 2


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (
            {"player": 'import { a as b } from "./a.js";\n', "a": "export const a = 1;\n"},
            "player.js, line 1: write import",
        ),
        ({"player": 'import "./a.js";\n', "a": ""}, "player.js, line 1: write import"),
        ({"player": 'import { b } from "./a.js";\n', "a": "const b = 1;\n"}, "a.js does not export b"),
        (
            {"player": 'import { a } from "./a.js";\n', "a": 'import { b } from "./player.js";\nexport const a = 1;\n'},
            "a.js, line 1: player.js imports this module too",
        ),
        (
            {"player": 'import { a } from "./a.js";\n', "a": "export const a = 1;\nexport default a;\n"},
            "a.js, line 2: this can't be joined",
        ),
        ({"player": "export { a };\n"}, "player.js, line 1: this can't be joined"),
        ({"player": "export let a = 1;\n"}, "player.js, line 1: this can't be joined"),
        ({"player": '\timport { a } from "./a.js";\n'}, "player.js, line 1: this can't be joined"),
        ({"player": '\ufeffimport { a } from "./a.js";\n'}, "player.js, line 1: this can't be joined"),
        ({"player": 'await import("./a.js");\n'}, "player.js, line 1: this can't be joined"),
        ({"player": "f('a\\\n  b');\n"}, "player.js, line 1: a text of several lines"),
        ({"player": "f(`a\n  b`);\n"}, "player.js, line 1: a text of several lines"),
    ],
)  # fmt: skip - one line a module
def test_what_joining_would_change_is_refused(tmp_path: Path, modules: dict[str, str], message: str) -> None:
    """With file and line, instead of a script that fails in the page."""
    with pytest.raises(ValueError, match=message):
        join(tmp_path, **modules)


def test_the_widget_holds_all_modules_and_no_import() -> None:
    """A page can't fetch a module beside the script."""
    script = join_modules(STATIC)
    assert unpacked(str(Desk._esm)).startswith(script)
    assert not re.search(r"^(?:import|export (?!default ))", script, re.MULTILINE)
    modules = {path.stem for path in STATIC.glob("*.js")} - {"player"}
    assert set(re.findall(r"^const \$(\w+) = \(\(\) => \{$", script, re.MULTILINE)) == modules
