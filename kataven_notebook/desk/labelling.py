"""What the page says of labels: each message is checked, becomes a decision, and may come twice or late."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kataven_notebook.desk.labels import MAX_NOTE, Told, tidied
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kataven_notebook.desk.labels import LabelBook

_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LONGEST_WAIT_S = 30 * 86_400.0


class Labelling:
    """Takes the page's decisions down.

    Each method takes a session id and a message, and returns why nothing was written down; an empty text where all
    is well. The page makes the ids of decisions, and of what it tells of them: when it tells that again, nothing
    happens twice. A message that is `late` is of a player that is gone, which may have had other labels.

    Parameters
    ----------
    book
        Where decisions go.
    names
        The labels to choose from.
    """

    def __init__(self, book: LabelBook, names: tuple[str, ...]) -> None:
        self._book, self._names = book, names
        # The messages that were done, or refused for good.
        self._settled: set[str] = set()

    def take(self, session_id: str, message: Mapping[str, Any]) -> tuple[str, bool]:
        """Do what a message says, once and in its order; return why not, and whether to tell it again."""
        op_id, after = (_id_of(message, each) for each in ("op", "after"))
        if self._is_settled(op_id):
            return "", False
        if after and not self._is_settled(after):
            return "Not saved yet: what was decided before it is not saved either.", True
        try:
            problem: str = getattr(self, message["type"])(session_id, message)
        except OSError as error:
            return f"Not saved: {self._book.path} could not be written ({error.strerror or error}).", True
        self._settled.add(op_id)
        return problem, False

    def label(self, session_id: str, message: Mapping[str, Any]) -> str:
        """Set a label or a note; a label that stands there already, as it came from elsewhere meanwhile, stays."""
        label, note, decision_id = _texts(message)
        span, told = _span(message), self._told(message)
        if problem := _refusal(session_id, note, span):
            return problem
        if self._book.has_done(decision_id) or not self._may_set(label, message) or not (label or tidied(note)):
            return ""
        old = self._book.same(session_id, label, *(span or ())) if label else None
        if old is None or tidied(note):
            self._book.add(session_id, label, **_times(span), note=note, decision_id=decision_id, told=told)
        return ""

    def relabel(self, session_id: str, message: Mapping[str, Any]) -> str:
        """Make a decision what the message says; bring it back where it was taken back."""
        label, note, decision_id = _texts(message)
        span, told = _span(message), self._told(message)
        if problem := _refusal(session_id, note, span):
            return problem
        present = self._book.get(decision_id)
        changed = message.get("changed")
        if present and isinstance(changed, list):
            label = label if "label" in changed else present.label
            note = note if "note" in changed else present.note
            if not {"start_s", "end_s"}.intersection(map(str, changed)):
                span = None if present.start_s is None or present.end_s is None else (present.start_s, present.end_s)
        if not decision_id or not (label or tidied(note)) or (present and present.session_id != session_id):
            return ""
        # The names that a file of another player brought stay, and only they.
        if not (self._may_set(label, message) or self._book.was_called(decision_id, label)):
            return ""
        twin = self._book.same(session_id, label, *(span or ())) if label else None
        if twin and twin.decision_id != decision_id and not tidied(note):
            # Another one has set meanwhile what this becomes: one of them says it.
            self._book.remove(decision_id, told)
        else:
            self._book.change(decision_id, session_id, label, **_times(span), note=note, told=told)
        return ""

    def unlabel(self, session_id: str, message: Mapping[str, Any]) -> str:
        """Take a decision back; the last one of the call where the message names none."""
        ids = [each.decision_id for each in self._book.of(session_id)]
        chosen = str(message.get("id") or (ids[-1] if ids else ""))
        if chosen in ids:
            self._book.remove(chosen, self._told(message))
        return ""

    def _is_settled(self, op_id: str) -> bool:
        return bool(op_id) and (op_id in self._settled or self._book.has_done(op_id))

    def _may_set(self, label: str, message: Mapping[str, Any]) -> bool:
        return label in ("", *self._names) or (bool(message.get("late")) and len(label.splitlines()) == 1)

    def _told(self, message: Mapping[str, Any]) -> Told:
        by = message.get("by")
        annotator = (encodable(str(by)) if by else None) if message.get("late") else self._book.annotator
        # The page's clock may be another one, so it says how long ago.
        age = timedelta(seconds=_age_s(message))
        return Told(_id_of(message, "op") or _id_of(message, "id"), annotator, datetime.now(UTC) - age)


def _texts(message: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the label, the note and the id of a message; an empty id where it has none that can be one."""
    return str(message.get("label") or ""), str(message.get("note") or ""), _id_of(message, "id")


def _id_of(message: Mapping[str, Any], name: str) -> str:
    given = str(message.get(name) or "")
    return given if _ID.fullmatch(given) else ""


def _age_s(message: Mapping[str, Any]) -> float:
    try:
        age_s = float(message.get("age_s") or 0.0)
    except (TypeError, ValueError):
        return 0.0
    return age_s if 0.0 < age_s < _LONGEST_WAIT_S else 0.0


def _span(message: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the region of a message, None for the whole call; one that is none holds a NaN."""
    given = message.get("start_s"), message.get("end_s")
    if given == (None, None):
        return None
    try:
        start_s, end_s = sorted(float(each) for each in given)  # type: ignore[arg-type]  # None is caught below
    except (TypeError, ValueError):
        return math.nan, math.nan
    return start_s, end_s


def _times(span: tuple[float, float] | None) -> dict[str, Any]:
    return {} if span is None else {"start_s": span[0], "end_s": span[1]}


def _refusal(session_id: str, note: str, span: tuple[float, float] | None) -> str:
    if len(session_id.splitlines()) != 1:
        # A record of the file is one line, by which a half-written one is known.
        return "Not saved: a label needs a session id of one line, and this row has none."
    if len(note) > MAX_NOTE:
        return f"Not saved: the note has {len(note):,} characters; shorten it to {MAX_NOTE:,}."
    if span is not None and not all(math.isfinite(each) for each in span):
        return "Not saved: the region has no start or no end; draw it again."
    return ""
