"""Folders that only their owner can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_private(folder: Path) -> None:
    """Create a folder and its missing parents with mode 0700; existing folders keep their mode.

    Raises
    ------
    OSError
        It can't be created, or a file has its name.
    """
    # `mkdir(parents=True)` gives the mode to the last folder alone.
    for each in reversed([above for above in folder.parents if not above.exists()]):
        each.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
