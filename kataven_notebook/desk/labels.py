"""Decisions of a listener: kept in order, written down at once, given back as frames."""

from __future__ import annotations

import csv
import io
import math
import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ADD, _REMOVE = "add", "remove"
# Windows would write other line ends, and take a control character for the end of the file.
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Decision:
    """One label or note on a call, or on a region of it.

    Attributes
    ----------
    decision_id
        Names it, so that it can be taken back.
    session_id
        Which call.
    label
        One of the player's labels; empty for a note alone.
    start_s, end_s
        The region in seconds; None for the whole call.
    note
        Free text, one line.
    labelled_at
        When, UTC.
    """

    decision_id: str
    session_id: str
    label: str
    start_s: float | None
    end_s: float | None
    note: str
    labelled_at: datetime

    @property
    def is_of_whole_call(self) -> bool:
        """Whether it has no region."""
        return self.start_s is None


class LabelBook:
    """All decisions of one player; with a file, each is on disk before the next one is taken.

    Taking a label back appends a row too: the file is never rewritten, so that nothing that was
    decided can be lost with the kernel, and two players can write to one file.

    Parameters
    ----------
    session_column
        The caller's name of the session column.
    path
        A CSV file to append to and to continue from; None keeps everything in memory.

    Raises
    ------
    ConfigurationError
        The file was not written by a player with this session column, or can't be one: a folder,
        or in a folder that is not there.
    OSError
        The file can't be read or written.
    """

    def __init__(self, session_column: str, path: str | os.PathLike[str] | None = None) -> None:
        self.session_column = session_column
        self.path = None if path is None else _checked_path(path)
        self._decisions: dict[str, Decision] = {}
        # Built from hashing the session: a list of 10,000 calls asks for each row's labels.
        self._by_session: dict[str, list[str]] = {}
        if self.path is not None and self.path.exists() and self.path.stat().st_size:
            self._read(self.path)

    @property
    def _header(self) -> list[str]:
        return ["action", "decision_id", self.session_column, "label", "start_s", "end_s", "note", "labelled_at"]

    def add(
        self,
        session_id: str,
        label: str,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        note: str = "",
    ) -> Decision:
        """Write a decision down and return it.

        Raises
        ------
        OSError
            It could not be written; then it is not kept in memory either.
        """
        decision = Decision(
            decision_id=uuid.uuid4().hex[:12],
            session_id=encodable(session_id),
            label=encodable(label),
            start_s=None if start_s is None else round(start_s, 3),
            end_s=None if end_s is None else round(end_s, 3),
            # A record is a line, so that a half-written one at the end is recognised.
            note=encodable(" ".join(note.split())),
            labelled_at=datetime.now(UTC),
        )
        self._append(_ADD, decision)
        self._keep(decision)
        return decision

    def remove(self, decision_id: str) -> Decision | None:
        """Take a decision back; None where there is none of this id.

        Raises
        ------
        OSError
            It could not be written; then the decision stands.
        """
        decision = self._decisions.get(decision_id)
        if decision is not None:
            self._append(_REMOVE, decision)
            self._forget(decision)
        return decision

    def of(self, session_id: str) -> list[Decision]:
        """Return the decisions on one call, in their order."""
        return [self._decisions[each] for each in self._by_session.get(encodable(session_id), ())]

    def __len__(self) -> int:
        return len(self._decisions)

    def to_frame(self) -> pd.DataFrame:
        """Return all decisions: session, label, start_s, end_s, note, labelled_at, in their order."""
        rows = list(self._decisions.values())
        texts = {
            self.session_column: [each.session_id for each in rows],
            "label": [each.label or None for each in rows],
            "note": [each.note or None for each in rows],
        }
        columns: dict[str, pd.Series] = {name: pd.Series(values, dtype="string") for name, values in texts.items()}
        for name in ("start_s", "end_s"):
            columns[name] = pd.Series([getattr(each, name) for each in rows], dtype="float64")
        columns["labelled_at"] = _times(each.labelled_at for each in rows)
        order = [self.session_column, "label", "start_s", "end_s", "note", "labelled_at"]
        return pd.DataFrame(columns)[order]

    def per_session(self, sessions: Iterable[object]) -> dict[str, pd.Series]:
        """Return one value a session for `Player.frame`: label, note, regions, time of the last one."""
        found = [self.of(str(each)) for each in sessions]
        whole = [[each for each in decisions if each.start_s is None] for decisions in found]
        labels = [", ".join(each.label for each in decisions if each.label) or None for decisions in whole]
        notes = ["; ".join(each.note for each in decisions if each.note) or None for decisions in found]
        regions = [sum(each.start_s is not None for each in decisions) for decisions in found]
        return {
            "label": pd.Series(labels, dtype="string"),
            "label_note": pd.Series(notes, dtype="string"),
            "label_regions": pd.Series(regions, dtype="Int64"),
            "labelled_at": _times(each[-1].labelled_at if each else None for each in found),
        }

    def _keep(self, decision: Decision) -> None:
        if decision.decision_id in self._decisions:
            self._forget(decision)
        self._decisions[decision.decision_id] = decision
        self._by_session.setdefault(decision.session_id, []).append(decision.decision_id)

    def _forget(self, decision: Decision) -> None:
        kept = self._decisions.pop(decision.decision_id)
        self._by_session[kept.session_id].remove(kept.decision_id)

    def _append(self, action: str, decision: Decision) -> None:
        if self.path is None:
            return
        # Private from the start: notes about calls are as private as the calls.
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            lead = "" if size else _csv_line(self._header)
            if size:
                os.lseek(descriptor, -1, os.SEEK_END)
                # A kernel that was killed while it wrote left half a line: the next line must not continue it.
                lead = "" if os.read(descriptor, 1) == b"\n" else "\n"
            line = (lead + _csv_line(self._cells(action, decision))).encode()
            while line:  # a disk that is nearly full takes a part, and says so with the next
                line = line[os.write(descriptor, line) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @staticmethod
    def _cells(action: str, decision: Decision) -> list[str]:
        times = ["" if each is None else f"{each:.3f}" for each in (decision.start_s, decision.end_s)]
        return [
            action,
            decision.decision_id,
            decision.session_id,
            decision.label,
            *times,
            decision.note,
            decision.labelled_at.isoformat(),
        ]

    def _read(self, path: Path) -> None:
        # Line by line: a quote that was never closed must not swallow what comes after it.
        lines = path.read_bytes().decode("utf-8-sig", "replace").split("\n")
        rows = [_cells_of(line) for line in lines if line.strip()]
        if not rows or rows[0] != self._header:
            raise ConfigurationError(
                f"{path} was not written by a player with the session column {self.session_column!r}: "
                "name another file in save_to=, or the session column it was written with"
            )
        broken = 0
        for row in rows[1:]:
            decision = _parse(row)
            if decision is None:
                broken += 1
            elif row[0] == _ADD:
                self._keep(decision)
            elif decision.decision_id in self._decisions:
                self._forget(decision)
        if broken:
            warn_caller(f"{path}: {broken} half-written line(s) were left out; all others were read")


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


def _parse(row: list[str]) -> Decision | None:
    try:
        action, decision_id, session_id, label, start, end, note, when = row
        if action not in (_ADD, _REMOVE):
            return None
        start_s, end_s = (float(each) if each else None for each in (start, end))
        if not all(each is None or math.isfinite(each) for each in (start_s, end_s)):
            return None
        at = datetime.fromisoformat(when).astimezone(UTC)
        return Decision(decision_id, session_id, label, start_s=start_s, end_s=end_s, note=note, labelled_at=at)
    except (ValueError, OverflowError):
        return None


def _cells_of(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _csv_line(cells: list[str]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(cells)
    return file.getvalue()


def _times(values: Iterable[datetime | None]) -> pd.Series:
    naive = [np.datetime64("NaT", "us") if each is None else _naive_utc(each) for each in values]
    return pd.Series(np.array(naive, dtype="datetime64[us]")).dt.tz_localize("UTC")


def _naive_utc(when: datetime) -> np.datetime64:
    return np.datetime64(when.astimezone(UTC).replace(tzinfo=None), "us")
