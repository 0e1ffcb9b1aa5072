"""Makes folders for their owner alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, with mode 0700; what exists stays as it is.

    `mkdir(parents=True)` gives its mode to the last one alone.

    Raises
    ------
    OSError
        It can't be made, or something else has its name.
    """
    for each in reversed([above for above in folder.parents if not above.exists()]):
        each.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
