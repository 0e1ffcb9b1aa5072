"""What was found in a store's recordings, kept beside them: a table of bytes, which are never run as code.

A result is named by its place, which is the name of the sound file without its ending: the session's hash and the
checksum of its sound. So other sound of the session has no results yet, and `forget` finds all of a session's.
"""

from __future__ import annotations

import functools
import sqlite3
import threading
import zlib
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import StoreError
from kataven_notebook.machine.database import Database
from kataven_notebook.store.failures import folder_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from typing import TypeVar

    T = TypeVar("T")

# Another format gets another number: a package that knows this one alone makes its results again, in this file.
RESULTS_FILE = "results-1.sqlite3"
STEM_CHARS = 40
"""How much of a place is the session's."""
_BATCH = 500
# What SQLite keeps beside a file.
_ENDS = ("", "-wal", "-shm")
_MOST_BY_NAME = 20 * _BATCH

_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    name TEXT NOT NULL, options TEXT NOT NULL, version TEXT NOT NULL, place TEXT NOT NULL,
    value BLOB NOT NULL, checksum INTEGER NOT NULL, pack TEXT,
    PRIMARY KEY (name, options, version, place));
CREATE TABLE IF NOT EXISTS packs (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_COLUMNS = "name, options, version, place, value, checksum, pack"
_OF_SUBJECT = "name = ? AND options = ? AND version = ?"


@dataclass(frozen=True, slots=True)
class Subject:
    """What results are of: the work by its name, its options, and the version of what does it."""

    name: str
    options: str = ""
    version: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """All three, as the table has them."""
        return (self.name, self.options, self.version)


@dataclass(frozen=True, slots=True)
class Row:
    """One result, as it is written; read from what others may have written, its value may be anything."""

    name: str
    options: str
    version: str
    place: str
    value: Any
    checksum: int
    pack: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing has changed its bytes, nor what they are the result of."""
        key = (self.name, self.options, self.version, self.place)
        are_right = isinstance(self.value, bytes) and all(isinstance(each, str) for each in key)
        return are_right and checksum_of(*key, self.value) == self.checksum


def checksum_of(name: str, options: str, version: str, place: str, value: bytes) -> int:
    """Return the checksum of a result: in a damaged table the bytes of one may stand under the place of another.

    Examples
    --------
    >>> checksum_of("measures", "auto", "1", "abc-123", b"value")
    773854696
    """
    return zlib.crc32(value, zlib.crc32(f"{name}\0{options}\0{version}\0{place}".encode()))


def place_of(file: str) -> str:
    """Return the place of the results of a sound file of a store.

    Examples
    --------
    >>> place_of("audio/ab/abc-123.wav")
    'abc-123'
    """
    return file.rpartition("/")[2].partition(".")[0]


def checksum_in(place: str) -> str:
    """Return the beginning of the sound's checksum, hexadecimal, that a place states.

    Examples
    --------
    >>> checksum_in("abc-123")
    '123'
    """
    return place.rpartition("-")[2]


class Results:
    """Opens the table in `path`, making it where there is none.

    A file that is damaged is moved away, and what can still be read in it taken over: the rest is made again.

    Parameters
    ----------
    path
        The SQLite file; made with mode 0600.

    Raises
    ------
    StoreError
        The file can't be made or used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._database: Database | None = None
        self._away = path.with_name(f"{path.name}.damaged")
        self._take_over()
        self._used(_check_form)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()

    def find(self, subject: Subject, places: Collection[str]) -> dict[str, bytes]:
        """Return the results of a subject that are there and whole, by place.

        Raises
        ------
        StoreError
            They can't be read.
        """
        found: dict[str, bytes] = {}
        for where, values in _selections(places):
            query = f"SELECT place, value, checksum FROM results WHERE {_OF_SUBJECT}{where}"  # noqa: S608 - our own constants
            rows = [Row(*subject.key, *row) for row in self._read(query, (*subject.key, *values))]
            found |= {row.place: row.value for row in rows if row.is_whole}
        return found if len(places) <= _MOST_BY_NAME else {each: found[each] for each in places if each in found}

    def of_other_versions(self, subject: Subject, places: Collection[str]) -> int:
        """Return how many places have a result of the subject in another version.

        Raises
        ------
        StoreError
            They can't be read.
        """
        others: set[str] = set()
        for where, values in _selections(places):
            query = f"SELECT DISTINCT place FROM results WHERE name = ? AND options = ? AND version <> ?{where}"  # noqa: S608 - our own constants
            others |= {row[0] for row in self._read(query, (*subject.key, *values))}
        return len(others & set(places))

    def put(self, subject: Subject, values: Mapping[str, bytes]) -> None:
        """Keep results by place; each takes the place of an older one.

        Elsewhere than in a folder they may be on their way for a second; `flush` waits for them.

        Raises
        ------
        StoreError
            They can't be written.
        """
        self._write(
            Row(*subject.key, place, value, checksum_of(*subject.key, place, value)) for place, value in values.items()
        )

    def flush(self) -> None:
        """Return when all that was put is where others see it.

        Raises
        ------
        StoreError
            It can't be written there.
        """

    def forget(self, stems: Collection[str]) -> None:
        """Delete the results of sessions for good, by the first `STEM_CHARS` of their places.

        Raises
        ------
        StoreError
            They can't be written, or another process holds the file open.
        """
        query = f"DELETE FROM results WHERE substr(place, 1, {STEM_CHARS}) = ?"  # noqa: S608 - our own constants
        self._take_over()
        self._change(lambda db: db.executemany(query, [(each,) for each in stems]))

        def emptied(db: sqlite3.Connection) -> bool:
            with closing(db.execute("PRAGMA wal_checkpoint(TRUNCATE)")) as done:
                return not done.fetchone()[0]

        if not self._used(emptied):
            raise StoreError(
                "the results are deleted, but another process holds the store open, so they may still be in its "
                "write-ahead log: close the others and call forget() again"
            )

    def counts(self) -> dict[str, int]:
        """Return how many results each session has, by the first `STEM_CHARS` of their places.

        Raises
        ------
        StoreError
            They can't be read.
        """
        query = f"SELECT substr(place, 1, {STEM_CHARS}), count(*) FROM results GROUP BY 1"  # noqa: S608 - our own constants
        return dict(self._read(query, ()))

    def remove_damaged(self) -> list[str]:
        """Delete the results whose bytes have changed, and return their places: they are made again.

        Raises
        ------
        StoreError
            They can't be read or written.
        """
        rowids = [row[0] for row in self._read("SELECT rowid FROM results", ())]
        damaged: dict[int, str] = {}
        for start in range(0, len(rowids), _BATCH):  # not all of them in memory at once
            batch = ", ".join(map(str, rowids[start : start + _BATCH]))
            for rowid, *values in self._read(f"SELECT rowid, {_COLUMNS} FROM results WHERE rowid IN ({batch})", ()):  # noqa: S608 - numbers
                row = Row(*values)
                if not row.is_whole:
                    damaged[rowid] = str(row.place)
        if damaged:
            self._change(
                lambda db: db.executemany("DELETE FROM results WHERE rowid = ?", [(each,) for each in damaged])
            )
        return list(damaged.values())

    def _write(self, rows: Iterable[Row]) -> None:
        values = [astuple(each) for each in rows]
        self._change(lambda db: db.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)", values))

    def _rows(self, where: str) -> list[Row]:
        """Return the whole results that a condition chooses."""
        found = [Row(*row) for row in self._read(f"SELECT {_COLUMNS} FROM results WHERE {where}", ())]  # noqa: S608 - our own constants
        return [row for row in found if row.is_whole]

    def _read(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        return self._used(lambda db: db.execute(query, values).fetchall())

    def _change(self, change: Callable[[sqlite3.Connection], object]) -> None:
        def changed(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE").close()
            try:
                change(db)
                db.execute("COMMIT").close()
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK").close()
                raise

        self._used(changed)

    def _used(self, use: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `use` makes of the connection; where the file is damaged, in a new one."""
        with self._lock, folder_errors(self._path.parent):
            try:
                with self._connection() as db:
                    return use(db)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not _is_damage(error):
                    raise
                self._begin_anew()
            with self._connection() as db:
                return use(db)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._database is None:
            self._database = Database(self._path, _SCHEMA, timeout_s=30.0, follow=True)
        with self._database.connection() as db:
            yield db

    def _begin_anew(self) -> None:
        """Move a damaged file away, and take over what can be read of it."""
        if self._database is not None:
            self._database.close()
        self._database = None
        for end in _ENDS:
            with suppress(FileNotFoundError):
                Path(f"{self._path}{end}").replace(f"{self._away}{end}")
        self._take_over()

    def _take_over(self) -> None:
        """Take over what can be read of a file that was moved away, also by a process that was killed then."""
        if not self._away.exists():
            return
        rows = [astuple(each) for each in _salvaged(self._away)]
        if rows:
            # What has been made again meanwhile stays.
            query = "INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)"
            self._change(lambda db: db.executemany(query, rows))
        with folder_errors(self._path.parent):
            for end in _ENDS:
                with suppress(FileNotFoundError):
                    Path(f"{self._away}{end}").unlink()


def _form(db: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())


@functools.cache
def _right_form() -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA).close()
        return _form(db)


def _check_form(db: sqlite3.Connection) -> None:
    """Refuse a file with other tables, or with views and triggers, which run whatever others wrote into them.

    Raises
    ------
    sqlite3.DatabaseError
        It is to be made anew.
    """
    if _form(db) != _right_form():
        raise sqlite3.DatabaseError("malformed: other tables than those of results")


def _is_damage(error: Exception) -> bool:
    """Whether the file holds something else than it should, and is not locked, full, closed or forbidden."""
    if isinstance(error, sqlite3.OperationalError):
        signs = ("could not decode", "no such", "has no column", "values were supplied", "unsupported file format")
        return any(sign in str(error).lower() for sign in signs)
    return type(error) is sqlite3.DatabaseError or isinstance(error, UnicodeDecodeError)


def _selections(places: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield conditions that choose the places, and their values; nothing to choose by where they are very many."""
    if len(places) > _MOST_BY_NAME:
        yield "", ()
        return
    listed = list(places)
    for start in range(0, len(listed), _BATCH):
        batch = tuple(listed[start : start + _BATCH])
        yield f" AND place IN ({', '.join('?' * len(batch))})", batch


def _salvaged(path: Path) -> list[Row]:
    """Return the results that can be read in a damaged file, from its beginning and from its end."""
    found: dict[int, Row] = {}
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(sqlite3.connect(path)) as db:
            if not _right_form() & {each for each in _form(db) if each[1] == "results"}:
                return []
            for rowid, *values in db.execute(f"SELECT rowid, {_COLUMNS} FROM results ORDER BY rowid {order}"):  # noqa: S608 - our own constants
                if rowid in found:
                    break
                row = Row(*values)
                if row.is_whole:
                    found[rowid] = row
    return list(found.values())
