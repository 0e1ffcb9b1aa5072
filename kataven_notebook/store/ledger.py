"""The store's table of outcomes: one row a session, in SQLite, safe for several processes."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import StoreError
from kataven_notebook.machine.database import Database
from kataven_notebook.status import Status
from kataven_notebook.store.claims import CLAIMS_SCHEMA, Claims, drop_own_claim
from kataven_notebook.store.entry import COLUMNS, Entry, is_file_name
from kataven_notebook.store.failures import folder_errors
from kataven_notebook.store.sanity import SANE_SQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

VERSION = 1
_BATCH = 500
_TEXTS = ("session_id", "file", "status", "error", "sha256", "format", "codec")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    session_id TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT, attempts INTEGER NOT NULL,
    file TEXT, size_bytes INTEGER, sha256 TEXT, format TEXT, codec TEXT, sample_rate INTEGER,
    channels INTEGER, frames INTEGER, first_at REAL NOT NULL, updated_at REAL NOT NULL) WITHOUT ROWID;
"""


def _upsert() -> str:
    """Overwrite all of a session's row but when it was first seen, and count the attempts.

    What went wrong later does not take away sound that is there.
    """
    kept = ("session_id", "attempts", "first_at")
    updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in kept)
    marks = ", ".join("?" * len(COLUMNS))
    # The names are this module's own constants.
    return (
        f"INSERT INTO outcomes VALUES ({marks}) ON CONFLICT (session_id) DO UPDATE SET {updates}, "  # noqa: S608 - see above
        "attempts = outcomes.attempts + 1 WHERE excluded.file IS NOT NULL OR outcomes.file IS NULL"
    )


_UPSERT = _upsert()


class Ledger:
    """Opens the table in `path`, making it where there is none.

    Parameters
    ----------
    path
        The SQLite file; made with mode 0600.
    follow
        Go on in what takes the file's place; what is a cache alone need not.

    Raises
    ------
    StoreError
        The file is of another version, is no ledger, or can't be used.
    """

    def __init__(self, path: Path, *, follow: bool = True) -> None:
        self._path = path
        with folder_errors(path.parent):
            self._database = Database(path, _SCHEMA + CLAIMS_SCHEMA, timeout_s=30.0, follow=follow)
            try:
                self._check_version()
            except BaseException:
                self._database.close()
                raise

    def _check_version(self) -> None:
        found = self.meta("version", str(VERSION))
        if found != str(VERSION):
            raise StoreError(
                f"the store {self._path.parent} is of version {found}, this package reads version {VERSION}: "
                "update kataven-notebook, or use another folder"
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def meta(self, key: str, default: str | None = None) -> str | None:
        """Return a value of the store's own, setting it to `default` where there is none.

        Raises
        ------
        StoreError
            The ledger can't be read or written.
        """
        with self._transaction() as db:
            if default is not None:
                db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, default))
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the store's own.

        Raises
        ------
        StoreError
            The ledger can't be read or written.
        """
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def entries(self, session_ids: Sequence[str] | None = None) -> Iterator[Entry]:
        """Yield what is known of some sessions, or of all.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        names = ", ".join(COLUMNS)
        if session_ids is None or len(session_ids) > 20 * _BATCH:
            wanted = None if session_ids is None else set(session_ids)
            rows = self._read(f"SELECT {names} FROM outcomes WHERE {SANE_SQL}", ())  # noqa: S608 - our own constants
            yield from (Entry(*row) for row in rows if wanted is None or row[0] in wanted)
            return
        for start in range(0, len(session_ids), _BATCH):
            batch = tuple(session_ids[start : start + _BATCH])
            marks = ", ".join("?" * len(batch))
            query = f"SELECT {names} FROM outcomes WHERE session_id IN ({marks}) AND {SANE_SQL}"  # noqa: S608 - our own constants
            yield from (Entry(*row) for row in self._read(query, batch))

    def _read(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        with folder_errors(self._path.parent), self._database.connection() as db:
            try:
                return db.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "could not decode" not in str(error).lower():
                    raise
        # One row's text must not cost the store.
        self._drop_undecodable()
        with folder_errors(self._path.parent), self._database.connection() as db:
            return db.execute(query, values).fetchall()

    def _drop_undecodable(self) -> list[tuple[str | None, str | None]]:
        """Delete the rows that hold text which is none, and return session id and file of each, as far as they are."""
        names = ", ".join(f"CAST({name} AS BLOB)" for name in _TEXTS)
        with self._transaction() as db:
            rows = db.execute(f"SELECT {names} FROM outcomes").fetchall()  # noqa: S608 - our own constants
            found = [row for row in rows if any(each is not None and _decoded(each) is None for each in row)]
            query = "DELETE FROM outcomes WHERE CAST(session_id AS BLOB) = ?"
            db.executemany(query, [(row[0],) for row in found])
        return [(_decoded(row[0]), _decoded(row[1])) for row in found]

    def put(self, entry: Entry) -> str | None:
        """Write a session's outcome, unless it would hide sound that is there, and end the claim on it.

        Returns the file that the session had before.

        Raises
        ------
        StoreError
            The ledger can't be written.
        """
        now = time.time()
        values = dict(zip(COLUMNS, astuple(entry), strict=True)) | {
            "first_at": entry.first_at or now,
            "updated_at": now,
        }
        with self._transaction() as db:
            # A damaged row counts as none; what the upsert leaves of it would stay damaged.
            db.execute(f"DELETE FROM outcomes WHERE session_id = ? AND ({SANE_SQL}) IS NOT TRUE", (entry.session_id,))  # noqa: S608 - our own constants
            before = db.execute("SELECT file FROM outcomes WHERE session_id = ?", (entry.session_id,)).fetchone()
            db.execute(_UPSERT, tuple(values[name] for name in COLUMNS))
            drop_own_claim(db, entry.session_id)
        return before[0] if before is not None and is_file_name(before[0]) else None

    def drop_sound(self, entry: Entry, error: str) -> bool:
        """Note that the sound an entry names is damaged, so that the session is asked for again.

        Returns whether the row still named that sound: another process may have stored it anew.

        Raises
        ------
        StoreError
            The ledger can't be written.
        """
        empty = ", ".join(f"{name} = NULL" for name in COLUMNS[COLUMNS.index("file") : COLUMNS.index("first_at")])
        query = f"UPDATE outcomes SET status = ?, error = ?, updated_at = ?, {empty} WHERE session_id = ? AND file = ?"  # noqa: S608 - our own constants
        values = (Status.FAILED.value, error, time.time(), entry.session_id, entry.file)
        with self._transaction() as db:
            return db.execute(query, values).rowcount > 0

    def damaged(self) -> list[tuple[str | None, str | None]]:
        """Return session id and file of each row that no store wrote, as far as they are text.

        Those whose text is damaged are deleted: SQLite can't read past them.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        found = self._drop_undecodable()
        rows = self._read(f"SELECT session_id, file FROM outcomes WHERE ({SANE_SQL}) IS NOT TRUE", ())  # noqa: S608 - our own constants
        return found + [(_text(session_id), _text(file)) for session_id, file in rows]

    def take_over(self, entries: Iterable[Entry]) -> None:
        """Write entries as they are, in one go: a cache follows what it is a cache of.

        Raises
        ------
        StoreError
            The ledger can't be written.
        """
        marks = ", ".join("?" * len(COLUMNS))
        with self._transaction() as db:
            db.executemany(f"INSERT OR REPLACE INTO outcomes VALUES ({marks})", [astuple(each) for each in entries])  # noqa: S608 - question marks alone

    def counts(self) -> dict[str, int]:
        """Return how many sessions have each status.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        query = f"SELECT status, count(*) FROM outcomes WHERE {SANE_SQL} GROUP BY status ORDER BY status"  # noqa: S608 - our own constants
        return dict(self._read(query, ()))

    def claims(self, load: Callable[[Sequence[str]], dict[str, Entry]]) -> Claims:
        """Return the claims of a new run; `load` is the store's."""
        return Claims(self._database, self._path.parent, load)

    def attempts(self, session_ids: Sequence[str]) -> dict[str, int]:
        """Return how often the sessions that are known have been asked for.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        return {entry.session_id: entry.attempts for entry in self.entries(session_ids)}

    def forget(self, session_ids: Iterable[str]) -> list[Entry]:
        """Delete rows for good, also from the write-ahead log, and return what they were.

        Raises
        ------
        StoreError
            The ledger can't be written, or another process holds it open.
        """
        wanted = list(session_ids)
        removed = list(self.entries(wanted))
        with self._transaction() as db:
            db.executemany("DELETE FROM outcomes WHERE session_id = ?", [(each,) for each in wanted])
            db.executemany("DELETE FROM claims WHERE session_id = ?", [(each,) for each in wanted])
        with (
            folder_errors(self._path.parent),
            self._database.connection() as db,
            closing(db.execute("PRAGMA wal_checkpoint(TRUNCATE)")) as done,
        ):
            busy = done.fetchone()[0]
        if busy:
            raise StoreError(
                "the sessions are deleted, but another process holds the store open, so their ids may still be in its "
                "write-ahead log: close the others and call forget() again"
            )
        return removed

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with folder_errors(self._path.parent), self._database.transaction() as db:
            yield db


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
