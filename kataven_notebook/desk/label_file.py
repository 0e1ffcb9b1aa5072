r"""The file of decisions: a record a line, appended and never rewritten.

A record is `action, decision_id, session, label, start_s, end_s, note, annotator, labelled_at, op_id` in CSV. Its
action is `add`, `change` (the whole decision as it is from now on) or `remove`; a later record of a decision takes the
place of an earlier one. `op_id` names what a page told, as it may tell it again to another player; it is empty where
it is `decision_id`. In notes a line break is written `\n`, a tab `\t` and a backslash `\\`, so that a record is one
line and a half-written one is recognised.

Files that earlier versions began have no annotator, and notes as they stand, without line breaks and tabs. They are
continued with the columns that they have: where a note has an annotator, an `op_id`, a line break or a tab, its cell
holds the escaped note, a tab, the annotator, a tab, and the `op_id`.
"""

from __future__ import annotations

import csv
import errno
import io
import math
import os
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.notices import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ADD, CHANGE, REMOVE = "add", "change", "remove"
# Windows would write other line ends, and take a control character for the end of the file.
_BINARY = getattr(os, "O_BINARY", 0)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_MEANINGS = {escape: character for character, escape in _ESCAPES.items()}


@dataclass(frozen=True, slots=True)
class Decision:
    """One label or note on a call, or on a region of it.

    Attributes
    ----------
    decision_id
        Names it, so that it can be changed and taken back.
    session_id
        Which call.
    label
        One of the player's labels; empty for a note alone.
    start_s, end_s
        The region in seconds; None for the whole call.
    note
        Free text of any number of lines.
    annotator
        Who decided; None where nobody said so.
    labelled_at
        When, UTC.
    """

    decision_id: str
    session_id: str
    label: str
    start_s: float | None
    end_s: float | None
    note: str
    annotator: str | None
    labelled_at: datetime

    @property
    def is_of_whole_call(self) -> bool:
        """Whether it has no region."""
        return self.start_s is None

    @property
    def content(self) -> tuple[object, ...]:
        """What was decided, without who and when."""
        return self.session_id, self.label, self.start_s, self.end_s, self.note


def header(session_column: str) -> list[str]:
    """Return the columns of a file that begins now."""
    start = ["action", "decision_id", session_column, "label", "start_s", "end_s", "note"]
    return [*start, "annotator", "labelled_at", "op_id"]


class LabelFile:
    """A file to which records are appended, by several players at once if need be.

    Parameters
    ----------
    path
        Where it is, or is to be with the first record.
    session_column
        The caller's name of the session column.

    Raises
    ------
    ConfigurationError
        The path can't be one of such a file: a folder, or in a folder that is not there.
    """

    def __init__(self, path: str | os.PathLike[str], session_column: str) -> None:
        self.path = _checked_path(path)
        self._session_column = session_column
        self._header = header(session_column)
        self._early_header = [each for each in self._header if each not in ("annotator", "op_id")]
        self._is_early = False
        # Its device and inode, and how much of it was read or written here.
        self._seen: tuple[int, int, int] | None = None

    def records(self) -> Iterator[tuple[str, Decision, str]]:
        """Read the file: each record's action, decision and `op_id`; none where there is no file yet.

        Raises
        ------
        ConfigurationError
            It was not written by a player with this session column.
        OSError
            It can't be read.
        """
        if not self.path.exists() or not self.path.stat().st_size:
            return
        with self.path.open("rb") as file:
            device, inode, _ = _identity(os.fstat(file.fileno()))
            content = file.read()
        self._seen = (device, inode, content.rfind(b"\n") + 1)
        # Line by line: a quote that was never closed must not swallow what comes after it.
        lines = content.decode("utf-8-sig", "replace").split("\n")
        rows = [_cells_of(line) for line in lines if line.strip()]
        headers = (self._header, self._early_header)
        if not rows or rows[0] not in headers:
            raise ConfigurationError(
                f"{self.path} was not written by a player with the session column {self._session_column!r}: "
                "name another file in save_to=, or the session column it was written with"
            )
        self._is_early = rows[0] == self._early_header
        broken = 0
        for row in rows[1:]:
            record = self._parse(row)
            if record is not None:
                yield record
            elif row not in headers:  # two players that began the file at once may both have written one
                broken += 1
        if broken:
            warn_caller(f"{self.path}: {broken} half-written line(s) were left out; all others were read")

    def news(self) -> Iterator[tuple[str, Decision, str]]:
        """Read what was added to the file since, by other players too; nothing where it can't be read now."""
        if self._seen is None:
            with suppress(ConfigurationError, OSError):
                yield from self.records()
            return
        *known, seen = self._seen
        content = b""
        with suppress(OSError), self.path.open("rb") as file:
            *present, size = _identity(os.fstat(file.fileno()))
            if present == known and size > seen:
                file.seek(seen)
                content = file.read()
        # Another player may be writing the last line.
        whole = content[: content.rfind(b"\n") + 1]
        self._seen = (*self._seen[:2], seen + len(whole))
        for line in whole.decode("utf-8", "replace").split("\n"):
            record = self._parse(_cells_of(line)) if line.strip() else None
            if record is not None:
                yield record

    def append(self, action: str, decision: Decision, op_id: str = "", *, standing: Iterable[Decision] = ()) -> None:
        """Bring a record to the disk, and before it those of `standing` that a file in place of the known one lacks.

        Raises
        ------
        OSError
            It could not be written, or a file that is no player's stands in its place.
        """
        if not self.path.exists():
            self._begin()
        # Private from the start: notes about calls are as private as the calls.
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)
        try:
            device, inode, size = _identity(os.fstat(descriptor))
            missing: list[str] = []
            # Removed, moved away, or replaced by a copy of yesterday: what was said to be saved must be in it again.
            if self._seen is None or self._seen[:2] != (device, inode) or size < self._seen[2]:
                missing = self._missing(standing)
                self._seen = (device, inode, size)
            lead = "" if size else _csv_line(self._early_header if self._is_early else self._header)
            if size:
                os.lseek(descriptor, -1, os.SEEK_END)
                # A kernel that was killed while it wrote left half a line: the next line must not continue it.
                lead = "" if os.read(descriptor, 1) == b"\n" else "\n"
            written = _write(descriptor, lead + "".join(missing) + _csv_line(self._cells(action, decision, op_id)))
            os.fsync(descriptor)
            # Else another player wrote in between: that is still to be read.
            if self._seen[2] == size and os.fstat(descriptor).st_size == size + written:
                self._seen = (device, inode, size + written)
        finally:
            os.close(descriptor)

    def _missing(self, standing: Iterable[Decision]) -> list[str]:
        try:
            known = {decision.decision_id for _, decision, _ in self.records()}
        except ConfigurationError:
            raise OSError(errno.EEXIST, "a file that is no player's stands there now") from None
        return [_csv_line(self._cells(ADD, each, "")) for each in standing if each.decision_id not in known]

    def _begin(self) -> None:
        """Make the file with its header at once, so that of two players that begin it one does."""
        self._is_early = False
        aside = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        try:
            try:
                _write(descriptor, _csv_line(self._header))
            finally:
                os.close(descriptor)
            # Fails where there is one by now, or no links: then the first record brings the header.
            os.link(aside, self.path)
        except OSError:
            pass
        finally:
            aside.unlink(missing_ok=True)

    def _cells(self, action: str, decision: Decision, op_id: str) -> list[str]:
        times = ["" if each is None else f"{each:.3f}" for each in (decision.start_s, decision.end_s)]
        start = [action, decision.decision_id, decision.session_id, decision.label, *times]
        note, annotator, when = decision.note, decision.annotator, decision.labelled_at.isoformat()
        if not self._is_early:
            return [*start, _escaped(note), annotator or "", when, op_id]
        if annotator or op_id or re.search(r"[\n\t]", note):
            note = f"{_escaped(note)}\t{annotator or ''}\t{op_id}"
        return [*start, note, when]

    def _parse(self, row: list[str]) -> tuple[str, Decision, str] | None:
        try:
            if self._is_early:
                *start, note, when = row
                note, tab, rest = note.partition("\t")
                annotator, _, op_id = rest.rpartition("\t")
                note = _unescaped(note) if tab else note
            else:
                *start, note, annotator, when, op_id = row
                note = _unescaped(note)
            action, decision_id, session_id, label, start_text, end_text = start
            start_s, end_s = (float(each) if each else None for each in (start_text, end_text))
            at = datetime.fromisoformat(when).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        times = [each for each in (start_s, end_s) if each is not None]
        if action not in (ADD, CHANGE, REMOVE) or not all(map(math.isfinite, times)):
            return None
        return action, Decision(decision_id, session_id, label, start_s, end_s, note, annotator or None, at), op_id


def _checked_path(path: str | os.PathLike[str]) -> Path:
    # Refused at once: the listener must not find out with the first label.
    if not isinstance(path, str | os.PathLike) or not str(path):
        raise ConfigurationError(f"save_to={path!r} is no path: pass the name of a file, such as 'labels.csv'")
    file = absolute_path("save_to", path)
    if file.is_dir():
        raise ConfigurationError(f"save_to={str(path)!r} is a folder: name a file in it")
    if not file.parent.is_dir():
        raise ConfigurationError(f"save_to={str(path)!r}: the folder {file.parent} is not there; make it first")
    return file


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_dev, status.st_ino, status.st_size


def _escaped(text: str) -> str:
    return re.sub(r"[\\\n\t]", lambda found: _ESCAPES[found[0]], text)


def _unescaped(text: str) -> str:
    # What is no escape, as a hand may have written it, stays as it is.
    return re.sub(r"\\[\\nt]", lambda found: _MEANINGS[found[0]], text)


def _write(descriptor: int, text: str) -> int:
    line, done, before = text.encode(), 0, os.fstat(descriptor).st_size
    try:
        while done < len(line):  # a disk that is nearly full takes a part, and says so with the next
            done += os.write(descriptor, line[done:])
    except OSError:
        # Half a record would be a row, or with an open quote many, to other readers. What another player added stays.
        if done and os.fstat(descriptor).st_size == before + done:
            os.ftruncate(descriptor, before)
        raise
    return done


def _cells_of(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _csv_line(cells: list[str]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(cells)
    return file.getvalue()
