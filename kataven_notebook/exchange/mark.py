"""The file that marks a folder as an export, with its options and what its table needs to be read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import ConfigurationError, StoreError
from kataven_notebook.exchange.sound_files import FOLDER
from kataven_notebook.machine.folders import atomic, make_private, remove_dead_parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Hidden, so that other tools pass it over.
_MARK = ".kataven-export.json"
_VERSION = 1


def prepared(folder: Path, options: Mapping[str, Any]) -> Path:
    """Make the folder and mark it as ours, or refuse one that is not.

    Raises
    ------
    ConfigurationError
        It has something else in it, or an export with other options.
    StoreError
        It can't be written.
    """
    mark = mark_of(folder)
    if mark is None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} has something else in it: choose a new or empty folder")
    if mark is not None and mark.get("options") != dict(options):
        raise ConfigurationError(
            f"{folder} holds an export with other options ({mark.get('options')}): use the same, or another folder"
        )
    try:
        make_private(folder)
        # There may be more in them than the files are to have.
        remove_dead_parts(folder)
        remove_dead_parts(folder / FOLDER)
        if mark is None:
            write_mark(folder, options=dict(options))
    except OSError as error:
        raise StoreError(f"the folder {folder} can't be written ({error}): choose another") from None
    return folder


def mark_of(folder: Path) -> dict[str, Any] | None:
    """Return what a folder says of the export in it; None where it holds none.

    Raises
    ------
    ConfigurationError
        It is of another version, or damaged.
    """
    try:
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(mark, dict) or mark.get("version") != _VERSION or not isinstance(mark.get("dtypes", {}), dict):
        raise ConfigurationError(f"{folder} is of another version, or its {_MARK} is damaged: use another folder")
    return mark


def write_mark(folder: Path, **entries: Any) -> None:
    """Write what a folder is to say of its export: `options`, and what its table needs to be read back."""
    with atomic(folder / _MARK) as file:
        file.write(json.dumps({"version": _VERSION, **entries}, indent=1).encode())
