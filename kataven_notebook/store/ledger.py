"""The store's table of outcomes: one row a session, in SQLite, safe for several processes."""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.errors import StoreError
from kataven_notebook.machine.database import Database
from kataven_notebook.machine.process import is_alive, owner_name
from kataven_notebook.sound.decode import SoundInfo
from kataven_notebook.status import Status
from kataven_notebook.store.failures import folder_errors

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kataven_notebook.sound.recording import Recording

VERSION = 1
_CLAIM_S = 1_800.0
_BATCH = 500

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    session_id TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT, attempts INTEGER NOT NULL,
    file TEXT, size_bytes INTEGER, sha256 TEXT, format TEXT, codec TEXT, sample_rate INTEGER,
    channels INTEGER, frames INTEGER, first_at REAL NOT NULL, updated_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    session_id TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
"""


# Not frozen: hundreds of thousands are made when a large frame is resumed, and that takes three times as long.
@dataclass(slots=True)
class Entry:
    """What a store knows of one session; the order of the fields is the table's. Never changed."""

    session_id: str
    status: str
    error: str | None = None
    attempts: int = 1
    file: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    format: str | None = None
    codec: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    frames: int | None = None
    first_at: float = 0.0
    updated_at: float = 0.0

    @classmethod
    def of_sound(cls, session_id: str, recording: Recording, sha256: str, *, at: float = 0.0) -> Self:
        """Return the entry of a downloaded recording, with the name that its file gets.

        Parameters
        ----------
        session_id, recording, sha256
            The session, its sound, and the checksum of the encoded bytes, hexadecimal.
        at
            When it was stored, in seconds since the epoch; 0 leaves that to the ledger.
        """
        name = hashed_id(session_id)
        return cls(
            session_id=session_id,
            status=Status.DOWNLOADED.value,
            # Other sound of the same session gets another name: an entry never names a file that is not its own.
            file=f"audio/{name[:2]}/{name[:40]}-{sha256[:16]}.{recording.format}",
            size_bytes=recording.size_bytes,
            sha256=sha256,
            first_at=at,
            updated_at=at,
            **asdict(recording.info),
        )

    @property
    def is_settled(self) -> bool:
        """Whether asking for the session again would bring nothing new."""
        return self.file is not None or self.status in _SETTLED

    @property
    def sound_info(self) -> SoundInfo:
        """What the header of its sound says; of an entry that has a file."""
        return SoundInfo(
            self.format or "", self.codec or "", self.sample_rate or 0, self.channels or 0, self.frames or 0
        )


_SETTLED = frozenset({"missing", "corrupt"})
COLUMNS = tuple(field.name for field in fields(Entry))
_FILE = re.compile(r"audio/[0-9a-f]{2}/[0-9a-f]{40}-[0-9a-f]{16}\.[a-z0-9]{1,8}")


def hashed_id(session_id: str) -> str:
    """Return the name that a session's files have: any id is safe in it, and none can be read from it."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def is_file_name(name: object) -> bool:
    """Whether a store could have given a sound file this name; any other name in a ledger is never opened."""
    return isinstance(name, str) and _FILE.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a store writes into one column: a type of SQLite's, and between which numbers."""

    column: str
    kind: str
    least: float = 0.0
    most: float = 0.0
    is_optional: bool = False

    @property
    def sql(self) -> str:
        """The rule as a condition on a row."""
        # SQLite keeps any type in any column.
        kinds = f"IN ('{self.kind}', 'null')" if self.is_optional else f"= '{self.kind}'"
        between = "" if self.kind == "text" else f" AND {self.column} BETWEEN {self.least} AND {self.most}"
        return f"typeof({self.column}) {kinds}{between}"

    def holds(self, value: object) -> bool:
        """Whether a value from elsewhere keeps the rule."""
        if value is None:
            return self.is_optional
        if self.kind == "text":
            return isinstance(value, str) and _is_encodable(value)
        number = float | int if self.kind == "real" else int
        return isinstance(value, number) and not isinstance(value, bool) and self.least <= value <= self.most


_RULES = (
    _Rule("session_id", "text"),
    _Rule("error", "text", is_optional=True),
    _Rule("sha256", "text", is_optional=True),
    _Rule("format", "text", is_optional=True),
    _Rule("codec", "text", is_optional=True),
    _Rule("attempts", "integer", 0, 1e9),
    _Rule("first_at", "real", 0, 1e11),
    _Rule("updated_at", "real", 0, 1e11),
)
# These are NULL where there is no file.
_RULES_OF_SOUND = (
    _Rule("size_bytes", "integer", 1, 1e15),
    _Rule("sample_rate", "integer", 1, 1e6),
    _Rule("channels", "integer", 1, 255),
    _Rule("frames", "integer", 1, 1e15),
)


def _sane() -> str:
    """Return the condition that a store wrote a row; a damaged row counts as none, and its session is asked for again.

    In SQL, because hundreds of thousands of rows are read at once.
    """
    rules = [rule.sql for rule in _RULES]
    rules.append(f"status IN ({', '.join(repr(each.value) for each in Status)})")
    no_sound = " AND ".join(f"{rule.column} IS NULL" for rule in _RULES_OF_SOUND)
    sound = " AND ".join(rule.sql for rule in _RULES_OF_SOUND)
    # Coarser than `is_file_name`, and four times as fast; no name that passes leads out of its folder.
    file = (
        "typeof(file) = 'text' AND substr(file, 1, 6) = 'audio/' AND length(file) BETWEEN 68 AND 75 "
        "AND substr(file, 9, 1) = '/' AND instr(substr(file, 10), '/') = 0 "
        "AND instr(file, '..') = 0 AND instr(file, '\\') = 0"
    )
    rules.append(f"(file IS NULL AND {no_sound} OR {file} AND {sound})")
    return " AND ".join(rules)


_SANE = _sane()


def is_sane(entry: Entry) -> bool:
    """Whether a store could have written an entry that comes from outside the ledger."""
    if entry.status not in tuple(Status) or not all(rule.holds(getattr(entry, rule.column)) for rule in _RULES):
        return False
    # These are shown as they are.
    if not all(text.isprintable() for text in (entry.sha256, entry.format, entry.codec) if text is not None):
        return False
    if entry.file is None:
        return all(getattr(entry, rule.column) is None for rule in _RULES_OF_SOUND)
    return is_file_name(entry.file) and all(rule.holds(getattr(entry, rule.column)) for rule in _RULES_OF_SOUND)


def _is_encodable(text: str) -> bool:
    """Whether SQLite can keep a text: it can't keep half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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

    Raises
    ------
    StoreError
        The file is of another version, is no ledger, or can't be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner = owner_name()
        with folder_errors(path.parent):
            self._database = Database(path, _SCHEMA, timeout_s=30.0)
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
        """Return a value of the store's own, setting it to `default` where there is none."""
        with self._transaction() as db:
            if default is not None:
                db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, default))
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the store's own."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def entries(self, session_ids: Sequence[str] | None = None) -> Iterator[Entry]:
        """Yield what is known of some sessions, or of all."""
        names = ", ".join(COLUMNS)
        if session_ids is None or len(session_ids) > 20 * _BATCH:
            wanted = None if session_ids is None else set(session_ids)
            rows = self._read(f"SELECT {names} FROM outcomes WHERE {_SANE}", ())  # noqa: S608 - our own constants
            yield from (Entry(*row) for row in rows if wanted is None or row[0] in wanted)
            return
        for start in range(0, len(session_ids), _BATCH):
            batch = tuple(session_ids[start : start + _BATCH])
            marks = ", ".join("?" * len(batch))
            query = f"SELECT {names} FROM outcomes WHERE session_id IN ({marks}) AND {_SANE}"  # noqa: S608 - our own constants
            yield from (Entry(*row) for row in self._read(query, batch))

    def _read(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        with folder_errors(self._path.parent), self._database.connection() as db:
            return db.execute(query, values).fetchall()

    def put(self, entry: Entry) -> str | None:
        """Write a session's outcome, unless it would hide sound that is there, and end the claim on it.

        Returns the file that the session had before.
        """
        now = time.time()
        values = dict(zip(COLUMNS, astuple(entry), strict=True)) | {
            "first_at": entry.first_at or now,
            "updated_at": now,
        }
        with self._transaction() as db:
            before = db.execute("SELECT file FROM outcomes WHERE session_id = ?", (entry.session_id,)).fetchone()
            db.execute(_UPSERT, tuple(values[name] for name in COLUMNS))
            db.execute("DELETE FROM claims WHERE session_id = ? AND owner = ?", (entry.session_id, self._owner))
        return before[0] if before is not None and is_file_name(before[0]) else None

    def take_over(self, entries: Iterable[Entry]) -> None:
        """Write entries as they are, in one go: a cache follows what it is a cache of."""
        marks = ", ".join("?" * len(COLUMNS))
        with self._transaction() as db:
            db.executemany(f"INSERT OR REPLACE INTO outcomes VALUES ({marks})", [astuple(each) for each in entries])  # noqa: S608 - question marks alone

    def counts(self) -> dict[str, int]:
        """Return how many sessions have each status."""
        query = f"SELECT status, count(*) FROM outcomes WHERE {_SANE} GROUP BY status ORDER BY status"  # noqa: S608 - our own constants
        return dict(self._read(query, ()))

    def claim(self, session_id: str, *, since: float) -> bool:
        """Take a session for this process, unless another one has it, or has settled it after `since`."""
        now = time.time()
        with self._transaction() as db:
            if _settled(db, session_id, since):
                return False
            query = "SELECT owner, until FROM claims WHERE session_id = ? AND until < 1e11 AND typeof(owner) = 'text'"
            row = db.execute(query, (session_id,)).fetchone()
            if row is not None and row[0] != self._owner and row[1] > now and is_alive(row[0]):
                return False
            db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (session_id, self._owner, now + _CLAIM_S))
            return True

    def has_settled(self, session_id: str, *, since: float) -> bool:
        """Whether a session was settled after `since`."""
        with folder_errors(self._path.parent), self._database.connection() as db:
            return _settled(db, session_id, since)

    def release(self, session_id: str) -> None:
        """Give a session back that was claimed and came to nothing."""
        with self._transaction() as db:
            db.execute("DELETE FROM claims WHERE session_id = ? AND owner = ?", (session_id, self._owner))

    def forget(self, session_ids: Iterable[str]) -> list[Entry]:
        """Delete rows for good, also from the write-ahead log, and return what they were."""
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


def _settled(db: sqlite3.Connection, session_id: str, since: float) -> bool:
    query = f"SELECT status, file FROM outcomes WHERE session_id = ? AND updated_at > ? AND {_SANE}"  # noqa: S608 - our own constants
    found = db.execute(query, (session_id, since)).fetchone()
    return found is not None and (found[1] is not None or found[0] in _SETTLED)
