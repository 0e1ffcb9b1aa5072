"""What goes wrong in a store, as sentences that say what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from kataven_notebook.errors import KatavenError, StoreError
from kataven_notebook.redact import one_line, redact

if TYPE_CHECKING:
    from collections.abc import Iterator


# How SQLite says so.
_DAMAGED = ("not a database", "malformed", "no such column", "no such table", "could not decode")


@contextlib.contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system and SQLite raise into a `StoreError` about the store in `folder`.

    Raises
    ------
    StoreError
        The file system or SQLite failed within the block.
    """
    try:
        yield
    except KatavenError:
        # Some of these are OSErrors too: a refused account is no broken folder.
        raise
    except (OSError, sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # SQLite quotes what it found in a file, and damaged text can't be decoded.
        raise StoreError(explain_failure(folder, error)) from None


def explain_failure(folder: Path | str, error: Exception) -> str:
    """Return what is wrong with the store in `folder`, and what to do."""
    in_the_way = _in_the_way(Path(folder)) if isinstance(error, FileExistsError | NotADirectoryError) else None
    if in_the_way is not None:
        return f"the store {folder} can't be made: {in_the_way}"
    text = str(error).lower()
    if "full" in text or "no space" in text:
        return f"the disk of the store {folder} is full: free some space and call again; what is finished is safe"
    if "readonly" in text or "read-only" in text or "permission" in text or "unable to open" in text:
        return f"the store {folder} can't be written ({error}): check its permissions, or use another folder"
    if isinstance(error, UnicodeDecodeError) or any(sign in text for sign in _DAMAGED):
        return (
            f"the ledger of the store {folder} is damaged ({error}): move ledger.sqlite3 away; the sound files stay, "
            "and the sessions are asked for again"
        )
    return f"the store {folder} can't be used ({error}): check that the folder is there and yours, or use another"


def _in_the_way(folder: Path) -> str | None:
    """Return what stands where a store's folder, one above it or one within it should be."""
    for each in (*reversed(folder.parents), folder, folder / "audio", folder / "parts"):
        if each.is_symlink() and not each.exists():
            target = os.readlink(each)  # noqa: PTH115 - as it was written
            return f"{each} is a link to {target}, which is not there: mount or make that, or use another folder"
        if each.exists() and not each.is_dir():
            return f"{each} is a file and no folder: move it away, or use another folder"
    return None


@contextlib.contextmanager
def bucket_errors(url: str, *, may_be_missing: bool = True) -> Iterator[None]:
    """Turn what fsspec and its backends raise into a `StoreError` about the store at `url`.

    A missing object stays a `FileNotFoundError`: callers decide what that means. Where something is written, it is the
    bucket that is missing.

    Raises
    ------
    FileNotFoundError
        There is no such object.
    StoreError
        The backend failed in any other way.
    """
    try:
        yield
    except KatavenError:
        raise
    except Exception as error:
        if may_be_missing and isinstance(error, FileNotFoundError):
            raise
        reason = one_line(str(error))
        raise StoreError(
            f"the store {redact(url)} can't be used ({type(error).__name__}: {reason}): check that it exists, and the "
            "credentials and endpoint that fsspec has for it"
        ) from None
