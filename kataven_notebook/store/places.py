"""What callers pass to a store: a place, and session ids."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.machine.folders import make_private
from kataven_notebook.settings import current_settings


def is_url(path: object) -> bool:
    """Whether a store's place is a URL that fsspec opens, and no folder.

    Examples
    --------
    >>> is_url("s3://bucket/calls"), is_url("calls/"), is_url("C:/calls")
    (True, False, False)
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.\-]+(::|://)", str(path)) is not None


def check_place(path: object) -> None:
    """Refuse what names no place, above all an empty text, which would be the current folder.

    Raises
    ------
    ConfigurationError
        What a store takes.
    """
    place = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(place, str) or not place.strip():
        raise ConfigurationError(f"{path!r} is no place for a store: pass a folder, or a URL such as s3://bucket/calls")


def forgettable(session_ids: object) -> list[str]:
    """Return the ids that a store can hold; an id in another type would be passed over in silence, and its sound stay.

    Raises
    ------
    ConfigurationError
        What was passed is a frame, whose columns would be taken for ids, or an id is not text.
    """
    if session_ids is None or isinstance(session_ids, pd.DataFrame):
        kind = type(session_ids).__name__
        raise ConfigurationError(f"forget() takes session ids, not {kind}: pass calls['session_id'], for instance")
    is_many = isinstance(session_ids, Iterable) and not isinstance(session_ids, str)
    wanted = []
    for each in session_ids if is_many else [session_ids]:  # type: ignore[attr-defined]  # iterable, as was just seen
        if isinstance(each, str):
            # Half a character can't have been sent, nor kept.
            wanted += [each] if each == each.encode("utf-8", "ignore").decode() else []
        elif not (pd.api.types.is_scalar(each) and pd.isna(each)):
            kind = type(each).__name__
            raise ConfigurationError(f"session ids are text, not {kind}: nothing was forgotten; pass them as text")
    return wanted


def cache_folder() -> tuple[Path, tempfile.TemporaryDirectory[str] | None]:
    """Return where caches are; without a place for them, a folder that lives as long as the store."""
    folder = current_settings().state_path / "stores"
    try:
        make_private(folder)
    except OSError:
        temporary = tempfile.TemporaryDirectory(prefix="kataven-cache-", ignore_cleanup_errors=True)
        return Path(temporary.name), temporary
    return folder, None
