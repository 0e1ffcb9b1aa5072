"""SQLite files that several processes share: private, in WAL mode, opened without taking locks from others."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_creating = threading.Lock()


def connect(path: Path | None, *, timeout_s: float) -> sqlite3.Connection:
    """Open a database that is made with mode 0600 where there is none.

    Parameters
    ----------
    path
        The file, in a folder that exists; None keeps the database in memory.
    timeout_s
        How long to wait for another connection's transaction, in seconds.

    Returns
    -------
    sqlite3.Connection
        Without implicit transactions, for use by any thread, one at a time.

    Raises
    ------
    OSError, sqlite3.Error
        The file can't be made, or is no database.
    """
    if path is not None:
        _create(path)
    connection = sqlite3.connect(
        ":memory:" if path is None else path, timeout=timeout_s, isolation_level=None, check_same_thread=False
    )
    try:
        # WAL with NORMAL: survives a killed process without waiting for the disk at each change.
        connection.execute("PRAGMA journal_mode=WAL").close()
        connection.execute("PRAGMA synchronous=NORMAL").close()
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    # Closing any descriptor of a file ends all locks that this process has on it. Were a database that is
    # in use opened and closed here, another process could take itself for the last one and remove the log
    # that our connections still write to. So only what is new is opened, by one thread at a time.
    with _creating, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
