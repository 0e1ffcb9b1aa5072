"""Decisions of a listener: kept in order, written down at once, given back as frames."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kataven_notebook.desk.label_file import ADD, CHANGE, REMOVE, Decision, LabelFile, header
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

# A record has to be read again, and readers of CSV take no cell above 128 KiB.
MAX_NOTE = 50_000


@dataclass(frozen=True, slots=True)
class Told:
    """How a page came to tell something: perhaps late, and more than once.

    Attributes
    ----------
    op_id
        Names what is told, whatever it is about.
    annotator
        Who decided.
    at
        When, UTC.
    """

    op_id: str
    annotator: str | None
    at: datetime


class LabelBook:
    """All decisions of one player; with a file, each is on disk before the next one is taken.

    Changing a decision and taking it back append a record too: the file is never rewritten, so that nothing that was
    decided can be lost with the kernel, and two players can write to one file.

    Parameters
    ----------
    session_column
        The caller's name of the session column.
    path
        A CSV file to append to and to continue from; None keeps everything in memory.
    annotator
        Who decides from now on; None where nobody says so.

    Raises
    ------
    ConfigurationError
        The file was not written by a player with this session column, or can't be one: a folder,
        or in a folder that is not there.
    OSError
        The file can't be read or written.
    """

    def __init__(
        self, session_column: str, path: str | os.PathLike[str] | None = None, *, annotator: str | None = None
    ) -> None:
        self.session_column = session_column
        self.annotator = annotator and encodable(annotator)
        self._file = None if path is None else LabelFile(path, session_column)
        self._decisions: dict[str, Decision] = {}
        # Built from hashing the session: a list of 10,000 calls asks for each row's labels.
        self._by_session: dict[str, list[str]] = {}
        # What each decision has been, those that were taken back too.
        self._earlier: dict[str, list[Decision]] = {}
        # What pages have told, and was done.
        self._ops: set[str] = set()
        for record in self._file.records() if self._file else ():
            self._take(*record)

    @property
    def path(self) -> Path | None:
        """The file; None where everything is in memory."""
        return None if self._file is None else self._file.path

    @property
    def columns(self) -> list[str]:
        """The columns of a file of these decisions."""
        return header(self.session_column)

    def add(
        self,
        session_id: str,
        label: str,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        note: str = "",
        decision_id: str = "",
        told: Told | None = None,
    ) -> Decision:
        """Write a decision down and return it.

        A `decision_id` that is known is the same decision, told again: nothing changes, also if it was taken back.

        Raises
        ------
        OSError
            It could not be written; then it is not kept in memory either.
        """
        if decision_id in self._earlier:
            return self._decisions.get(decision_id) or self._earlier[decision_id][-1]
        decision_id = decision_id or uuid.uuid4().hex[:12]
        return self._put(ADD, self._made(decision_id, session_id, label, start_s, end_s, note, told), told)

    def change(
        self,
        decision_id: str,
        session_id: str,
        label: str,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        note: str = "",
        told: Told | None = None,
    ) -> Decision:
        """Make a decision another one, or bring one back that was taken back, and return it.

        One that becomes what it was before is as it was then: who decided and when included.

        Raises
        ------
        OSError
            It could not be written; then the decision stands as it was.
        """
        decision = self._made(decision_id, session_id, label, start_s, end_s, note, told)
        earlier = self._earlier.get(decision_id, ())
        decision = next((each for each in reversed(earlier) if each.content == decision.content), decision)
        present = self._decisions.get(decision_id)
        if decision == present:
            return decision
        return self._put(ADD if present is None else CHANGE, decision, told)

    def remove(self, decision_id: str, told: Told | None = None) -> Decision | None:
        """Take a decision back; None where there is none of this id.

        Raises
        ------
        OSError
            It could not be written; then the decision stands.
        """
        decision = self._decisions.get(decision_id)
        if decision is not None:
            # Who took it back, and when.
            told = told or self._told_now()
            self._write(REMOVE, replace(decision, annotator=told.annotator, labelled_at=told.at), told)
            self._forget(decision_id)
        return decision

    def get(self, decision_id: str) -> Decision | None:
        """Return the decision of an id; None where there is none."""
        return self._decisions.get(decision_id)

    def knows(self, decision_id: str) -> bool:
        """Whether there is, or was, a decision of this id."""
        return decision_id in self._earlier

    def has_done(self, op_id: str) -> bool:
        """Whether what a page told was done, by this player or by another one on the file."""
        return bool(op_id) and (op_id in self._ops or op_id in self._earlier)

    def was_called(self, decision_id: str, label: str) -> bool:
        """Whether a decision has, or had, a label."""
        return any(each.label == label for each in self._earlier.get(decision_id, ()))

    def of(self, session_id: str) -> list[Decision]:
        """Return the decisions on one call, in their order."""
        return [self._decisions[each] for each in self._by_session.get(encodable(session_id), ())]

    def same(
        self, session_id: str, label: str, start_s: float | None = None, end_s: float | None = None
    ) -> Decision | None:
        """Return this listener's decision that sets a label on a call, or on a region of it; None if there is none."""
        span = (_seconds(start_s), _seconds(end_s))
        found = (each for each in self.of(session_id) if each.label == label and (each.start_s, each.end_s) == span)
        return next((each for each in found if self.is_own(each)), None)

    def is_own(self, decision: Decision) -> bool:
        """Whether a decision may be this listener's: nobody else is known to have made it."""
        return self.annotator is None or decision.annotator in (None, self.annotator)

    def is_labelled(self, session_id: str) -> bool:
        """Whether this listener has set a label on a whole call."""
        return any(each.label and each.is_of_whole_call and self.is_own(each) for each in self.of(session_id))

    def __len__(self) -> int:
        return len(self._decisions)

    def to_frame(self) -> pd.DataFrame:
        """Return all decisions: session, label, start_s, end_s, note, annotator, labelled_at, in their order."""
        rows = list(self._decisions.values())
        texts = {
            self.session_column: [each.session_id for each in rows],
            "label": [each.label or None for each in rows],
            "note": [each.note or None for each in rows],
            "annotator": [each.annotator for each in rows],
        }
        columns: dict[str, pd.Series] = {name: pd.Series(values, dtype="string") for name, values in texts.items()}
        for name in ("start_s", "end_s"):
            columns[name] = pd.Series([getattr(each, name) for each in rows], dtype="float64")
        columns["labelled_at"] = _times(each.labelled_at for each in rows)
        order = [self.session_column, "label", "start_s", "end_s", "note", "annotator", "labelled_at"]
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
            "labelled_at": _times(max((each.labelled_at for each in decisions), default=None) for decisions in found),
        }

    def refresh(self) -> set[str]:
        """Take over what other players added to the file; return the sessions that it is about."""
        sessions = set()
        for action, decision, op_id in self._file.news() if self._file else ():
            self._take(action, decision, op_id)
            sessions.add(decision.session_id)
        return sessions

    def _take(self, action: str, decision: Decision, op_id: str) -> None:
        self._ops.add(op_id)
        if action == REMOVE:
            self._forget(decision.decision_id)
        else:
            self._keep(decision)

    def _told_now(self) -> Told:
        return Told("", self.annotator, datetime.now(UTC))

    def _made(
        self,
        decision_id: str,
        session_id: str,
        label: str,
        start_s: float | None,
        end_s: float | None,
        note: str,
        told: Told | None,
    ) -> Decision:
        told = told or self._told_now()
        return Decision(
            decision_id=decision_id,
            session_id=encodable(session_id),
            label=encodable(label),
            start_s=_seconds(start_s),
            end_s=_seconds(end_s),
            note=encodable(tidied(note)),
            annotator=told.annotator,
            labelled_at=told.at,
        )

    def _put(self, action: str, decision: Decision, told: Told | None) -> Decision:
        self._write(action, decision, told)
        self._keep(decision)
        return decision

    def _write(self, action: str, decision: Decision, told: Told | None) -> None:
        op_id = "" if told is None or told.op_id == decision.decision_id else told.op_id
        if self._file is not None:
            self._file.append(action, decision, op_id, standing=self._decisions.values())
        self._ops.add(op_id)

    def _keep(self, decision: Decision) -> None:
        # One that is changed keeps its place.
        kept = self._decisions.get(decision.decision_id)
        if kept is not None and kept.session_id != decision.session_id:
            self._forget(decision.decision_id)
        if decision.decision_id not in self._decisions:
            self._by_session.setdefault(decision.session_id, []).append(decision.decision_id)
        self._decisions[decision.decision_id] = decision
        self._earlier.setdefault(decision.decision_id, []).append(decision)

    def _forget(self, decision_id: str) -> None:
        kept = self._decisions.pop(decision_id, None)
        if kept is not None:
            self._by_session[kept.session_id].remove(decision_id)


def tidied(note: str) -> str:
    r"""Return a note as it is kept: each line ends with `\n`, and no space stands at their ends or around it.

    Examples
    --------
    >>> tidied(" the caller\r\n  is calm \n\n")
    'the caller\n  is calm'
    """
    lines = re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", note)
    return "\n".join(line.rstrip() for line in lines).strip()


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _times(values: Iterable[datetime | None]) -> pd.Series:
    naive = [np.datetime64("NaT", "us") if each is None else _naive_utc(each) for each in values]
    return pd.Series(np.array(naive, dtype="datetime64[us]")).dt.tz_localize("UTC")


def _naive_utc(when: datetime) -> np.datetime64:
    return np.datetime64(when.astimezone(UTC).replace(tzinfo=None), "us")
