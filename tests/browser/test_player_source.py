"""The front end's source: its size, and what the type checker says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kataven_notebook.desk.page import Desk
from kataven_notebook.desk.script import join_modules

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "kataven_notebook" / "desk" / "static"


def test_script_and_style_stay_under_70_kilobytes() -> None:
    """Every widget carries them in its saved state."""
    assert len(str(Desk._esm)) + len(str(Desk._css)) < 70_000


def test_the_script_satisfies_the_strict_type_checker(npm_packages: Path) -> None:
    """The JSDoc types hold: `tsc --checkJs --strict` has nothing to say."""
    done = subprocess.run(
        [npm_packages / ".bin" / "tsc", "-p", HERE / "tsconfig.json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_joined_modules_run_as_they_do_apart(tmp_path: Path) -> None:
    """Each keeps its own names, statements and end of file, whatever another one has."""
    modules = {
        "one": "// first\nlet z = 0, close = 3; const y = z;\n"
        "export function* count() { yield close + y }\nconst last = 1 // end",
        "two": "(function () { globalThis.called = true })()\nfunction setTimeout() { return 2 }\n"
        "export const late = setTimeout()",
        "player": 'import { count } from "./one.js";\nimport { late } from "./two.js";\nconst z = "mine";\n'
        "export default { z, late, sum: [...count()], own: typeof setTimeout(() => 0), called };\n",
    }
    for name, text in modules.items():
        (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")
    (tmp_path / "joined.mjs").write_text(join_modules(tmp_path), encoding="utf-8")
    show = "import('./joined.mjs').then((it) => console.log(JSON.stringify(it.default)))"
    done = subprocess.run(["node", "-e", show], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.stdout == '{"z":"mine","late":2,"sum":[3],"own":"object","called":true}\n'
