"""The front end's source: its size, and what the type checker says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kataven_notebook.desk.script import join_modules

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "kataven_notebook" / "desk" / "static"


def test_script_and_style_stay_under_48_kilobytes() -> None:
    """Every widget carries them in its saved state."""
    assert len(join_modules(STATIC).encode()) + (STATIC / "player.css").stat().st_size < 48 * 1024


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
