"""The results of a store in a bucket: many to an object, and all of them in a table of this machine.

An object for each result would be a request for each. So what is put within a second travels together, as a pack that
is never changed, and each machine reads each pack once.
"""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from kataven_notebook.redact import encodable
from kataven_notebook.store.results import STEM_CHARS, Results, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from kataven_notebook.store.objects import ObjectFolder
    from kataven_notebook.store.results import Subject

FOLDER = "results-1"
_MAGIC = b"kataven results 1\n"
_BETWEEN_PACKS_S = 1.0
_MOST_HEAD_BYTES = 10_000
# Packs are read together, and are in memory together.
_AT_ONCE = 50


class PackedResults(Results):
    """The results in `folder`, through a table in `path`, which may be deleted: it is made again from the bucket.

    What was put, and not flushed when a process was killed, is uploaded by the next one that opens the table.

    Parameters
    ----------
    folder
        The place in object storage.
    path
        The SQLite file; made with mode 0600.

    Raises
    ------
    StoreError
        The file can't be made or used.
    """

    def __init__(self, folder: ObjectFolder, path: Path) -> None:
        super().__init__(path)
        self._folder = folder
        self._uploaded_at = time.monotonic()

    def find(self, subject: Subject, places: Collection[str]) -> dict[str, bytes]:
        """Return the results of a subject that are there and whole, by place; packs that are new are read.

        Raises
        ------
        StoreError
            They can't be read.
        """
        self._follow()
        return super().find(subject, places)

    def put(self, subject: Subject, values: Mapping[str, bytes]) -> None:
        """Keep results by place, and upload what has come together, once a second.

        Raises
        ------
        StoreError
            They can't be written.
        """
        super().put(subject, values)
        if time.monotonic() - self._uploaded_at >= _BETWEEN_PACKS_S:
            self.flush()

    def flush(self) -> None:
        """Upload what is here alone.

        Raises
        ------
        StoreError
            It can't be written there.
        """
        with self._lock:
            self._uploaded_at = time.monotonic()
            waiting = self._rows("pack IS NULL")
            if waiting:
                self._upload(waiting)

    def forget(self, stems: Collection[str]) -> None:
        """Delete the results of sessions for good: every pack that holds one is written again without it.

        Raises
        ------
        StoreError
            They can't be read or written.
        """
        with self._lock:
            for name in self._folder.names(FOLDER):
                data = self._folder.read(f"{FOLDER}/{name}")
                left = [row for row in unpacked(data) if row.place[:STEM_CHARS] not in stems]
                there = packed(left)
                if there == data:
                    continue
                # Also where bytes have changed: nobody can say whose they were.
                if left:
                    self._folder.write(f"{FOLDER}/{uuid.uuid4().hex}.pack", there)
                self._folder.remove([f"{FOLDER}/{name}"])
            super().forget(stems)

    def counts(self) -> dict[str, int]:
        """Return how many results each session has, by the first `STEM_CHARS` of their places.

        Raises
        ------
        StoreError
            They can't be read.
        """
        self._follow()
        return super().counts()

    def _upload(self, rows: list[Row]) -> None:
        name = f"{uuid.uuid4().hex}.pack"
        self._folder.write(f"{FOLDER}/{name}", packed(rows))
        self._note(name, rows)

    def _follow(self) -> None:
        """Read the packs that this machine has not read, and drop what came from packs that are gone."""
        with self._lock:
            there = set(self._folder.names(FOLDER))
            seen = {str(row[0]) for row in self._read("SELECT name FROM packs", ())}
            gone = [(name,) for name in seen - there]
            if gone:
                self._change(lambda db: db.executemany("DELETE FROM results WHERE pack = ?", gone))
                self._change(lambda db: db.executemany("DELETE FROM packs WHERE name = ?", gone))
            fresh = sorted(there - seen)
            for start in range(0, len(fresh), _AT_ONCE):
                for path, data in self._folder.read_many(
                    [f"{FOLDER}/{name}" for name in fresh[start : start + _AT_ONCE]]
                ).items():
                    self._note(path.rpartition("/")[2], unpacked(data))

    def _note(self, name: str, rows: Iterable[Row]) -> None:
        """Write the results of a pack into the table, and then that it was read."""
        self._write(replace(row, pack=name) for row in rows)
        self._change(lambda db: db.execute("INSERT OR REPLACE INTO packs VALUES (?)", (name,)))


def packed(rows: Iterable[Row]) -> bytes:
    """Return results as one object: of each the length of its head, its head as JSON, and its bytes.

    Examples
    --------
    >>> row = Row("measures", "auto", "1", "abc-123", b"value", 773854696)
    >>> list(unpacked(packed([row]))) == [row]
    True
    """
    parts = [_MAGIC]
    for row in rows:
        head = json.dumps([row.name, row.options, row.version, row.place, row.checksum, len(row.value)]).encode()
        parts += [len(head).to_bytes(4, "big"), head, row.value]
    return b"".join(parts)


def unpacked(data: bytes) -> Iterator[Row]:
    """Yield the results of a pack that are whole; where it is cut short or is none, those before."""
    if not data.startswith(_MAGIC):
        return
    at = len(_MAGIC)
    with suppress(ValueError, TypeError, RecursionError):
        while at < len(data):
            head_bytes = int.from_bytes(data[at : at + 4], "big")
            if head_bytes > _MOST_HEAD_BYTES:
                return
            start = at + 4 + head_bytes
            *named, checksum, size = json.loads(data[at + 4 : start])
            if not isinstance(size, int) or size < 0 or not all(_is_text(each) for each in named):
                return
            at = start + size
            name, options, version, place = named
            row = Row(name, options, version, place, data[start:at], checksum)
            if row.is_whole:
                yield row


def _is_text(value: object) -> bool:
    """Whether it is text that a table can hold: no half of a character."""
    return isinstance(value, str) and encodable(value) == value
