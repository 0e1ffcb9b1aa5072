"""Where a report is written: whole or not at all, private, and never over a file of another kind."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError, StoreError
from kataven_notebook.machine.folders import atomic
from kataven_notebook.publish.page import LOOKED_AT_BYTES, MARK

_ENDINGS = (".html", ".htm")


def checked_target(path: str | os.PathLike[str]) -> Path:
    """Return where a report is to be written.

    Raises
    ------
    ConfigurationError
        It is no path, does not end in .html, is a folder, or holds something that is no report.
    StoreError
        What is there can't be read.
    """
    target = absolute_path("path", path)
    if os.path.isdir(target):  # noqa: PTH112 - Path's own raises where a name is too long
        raise ConfigurationError(f"{target} is a folder: name a file in it, such as report.html")
    if target.suffix.lower() not in _ENDINGS:
        said = f"it ends in {target.suffix}" if target.suffix else "it has no ending"
        raise ConfigurationError(
            f"path={str(target)!r}: a report is a page, and {said}; choose a name that ends in .html "
            "(the browser's print makes a PDF of it)"
        )
    try:
        is_file = stat.S_ISREG(target.stat().st_mode)
        # A pipe would be waited for.
        is_ours = is_file and _is_report(target)
    except (FileNotFoundError, NotADirectoryError):
        return target  # not there yet, or `write` says why that can't be
    except OSError as error:
        raise StoreError(f"{target} can't be read ({error.strerror or error}): choose another name") from None
    if not is_ours:
        raise ConfigurationError(f"{target} is there already and is no report: choose another name, or move it away")
    return target


def _is_report(target: Path) -> bool:
    with target.open("rb") as file:
        return MARK.encode() in file.read(LOOKED_AT_BYTES)


def write(target: Path, text: str) -> None:
    """Write the page; what was there stays as it was where that fails.

    Raises
    ------
    StoreError
        The file can't be written.
    """
    try:
        # A link stays one, and the file that it leads to is written.
        with atomic(Path(os.path.realpath(target))) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise StoreError(
            f"{target} can't be written ({error.strerror or error}): what was there is as it was; make room, or choose "
            "another folder"
        ) from None
