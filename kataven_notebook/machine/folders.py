"""Folders and files that only their owner can read, and files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kataven_notebook.machine.process import is_alive, owner_name

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of a process of another machine nobody knows here whether it lives.
_DEAD_PART_S = 86_400.0


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


@contextlib.contextmanager
def atomic(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that gets its name when the block ends well, and never stands there half-written."""
    make_private(target.parent)
    descriptor, name = tempfile.mkstemp(".part", "." + part_prefix(), target.parent)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def part_prefix() -> str:
    """Return what the name of a file that is being written begins with: whose it is."""
    return owner_name().replace("|", "~").replace("/", "_") + "~"


def remove_dead_parts(folder: Path) -> None:
    """Remove what processes that were killed have left of files that they were writing into a folder."""
    for part in folder.glob("*.part"):
        host, pid, created, *_ = [*part.name.removeprefix(".").split("~"), "", "", ""]
        try:
            if not is_alive(f"{host}|{pid}|{created}") or part.stat().st_mtime < time.time() - _DEAD_PART_S:
                part.unlink(missing_ok=True)
        except OSError:
            continue
