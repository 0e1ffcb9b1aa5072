"""An SQLite file that threads and processes share: private, in WAL mode, and without lost locks."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TAKEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_RETRY_S = 0.01
_creating = threading.Lock()


class Database:
    """Opens a database, and creates it with mode 0600 where there is none.

    Parameters
    ----------
    path
        The file, in a folder that exists; None keeps the database in memory.
    schema
        Statements that create missing tables; run at each opening.
    timeout_s
        How long to wait for another connection's transaction, in seconds.
    follow
        Open what has taken the file's place, where somebody has removed, moved or replaced it; by default what was
        opened is used on, which nobody else sees.

    Raises
    ------
    OSError, sqlite3.Error
        The file can't be created or used, or is not a database.
    """

    def __init__(self, path: Path | None, schema: str, *, timeout_s: float, follow: bool = False) -> None:
        self._path = path
        self._schema = schema
        self._timeout_s = timeout_s
        self._follow = follow and path is not None
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._connection: sqlite3.Connection | None = self._connect()
        if path is not None:
            _shared.add(self)

    def close(self) -> None:
        """Close the file; what was committed stays. Closing twice does nothing."""
        with self._lock:
            self._is_closed = True
            self._disconnect()

    def __del__(self) -> None:
        """Close the file of a database that nobody uses any more; nobody can hold its lock."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def suspend(self) -> None:
        """Wait until the connection is free, close it, and block its use until `resume`."""
        self._lock.acquire()
        self._disconnect()

    def resume(self) -> None:
        """Allow use of the connection again; the next use opens it."""
        self._lock.release()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection to this thread alone, outside a transaction.

        Raises
        ------
        sqlite3.ProgrammingError
            The database has been closed.
        OSError, sqlite3.Error
            It can't be opened again.
        """
        with self._lock:
            if self._is_closed:
                raise sqlite3.ProgrammingError("the database has been closed")
            if self._follow and self._connection is not None and not self._is_in_place():
                self._disconnect()  # SQLite sees that the file was moved, and leaves alone what is in its place
            if self._connection is None:
                self._connection = self._connect()
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection in a transaction: committed at the end, rolled back where the block raises.

        Raises
        ------
        sqlite3.Error
            The database has been closed, or stayed locked for longer than the timeout.
        """
        with self.connection() as db:
            db.execute("BEGIN IMMEDIATE").close()
            try:
                yield db
                db.execute("COMMIT").close()
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK").close()
                raise

    def _is_in_place(self) -> bool:
        return self._identity is None or _identity(self._path) == self._identity

    def _connect(self) -> sqlite3.Connection:
        give_up_at = time.monotonic() + self._timeout_s
        while True:
            try:
                return self._connect_now()
            except sqlite3.OperationalError as error:
                # Creating the log needs the file exclusively, and SQLite then refuses others without waiting.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _TAKEN or time.monotonic() >= give_up_at:
                    raise
            time.sleep(_RETRY_S)

    def _connect_now(self) -> sqlite3.Connection:
        if self._path is not None:
            _create(self._path)
        connection = sqlite3.connect(
            ":memory:" if self._path is None else self._path,
            timeout=self._timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # WAL with NORMAL survives a killed process without waiting for the disk at each change; secure_delete
            # overwrites deleted rows with zeros.
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}").close()
            connection.executescript(self._schema).close()
            self._identity = _identity(self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name, or None where there is none."""
    try:
        found = None if path is None else os.stat(path)  # noqa: PTH116 - at each use, and twice as fast
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _create(path: Path) -> None:
    # Closing any descriptor of a file releases all locks that this process has on the file. If a database in
    # use were opened and closed here, another process could conclude that it is the last user and remove the
    # log that our connections still write to. So only a new file is opened, by one thread at a time.
    with _creating, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if path.is_symlink():
        # SQLite would follow the link and create its target readable for everybody.
        raise OSError(
            errno.ELOOP, "a link stands in the file's place, which others may have laid; remove it", str(path)
        )


# A forked child has none of its parent's locks, but SQLite's memory there says that it has them: the same
# loss as above. So no database is open while a process forks, and both sides open it again at the next use.
_shared: weakref.WeakSet[Database] = weakref.WeakSet()
_suspended: list[Database] = []
_forking = threading.Lock()


def _before_fork() -> None:
    _forking.acquire()  # one fork at a time
    for database in list(_shared):
        _suspended.append(database)
        database.suspend()


def _after_fork() -> None:
    while _suspended:
        _suspended.pop().resume()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
