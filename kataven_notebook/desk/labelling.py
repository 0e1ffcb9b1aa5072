"""What the page says of labels: each message is checked, becomes a decision, and may come twice or late."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from kataven_notebook.desk.labels import MAX_NOTE, tidied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kataven_notebook.desk.labels import LabelBook

_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


class Labelling:
    """Takes the page's decisions down.

    Each method takes a session id and a message, and returns why nothing was written down; an empty text where all
    is well. The page makes the ids of decisions: when it tells again what it has told, nothing happens twice.

    Parameters
    ----------
    book
        Where decisions go.
    names
        The labels to choose from.
    """

    def __init__(self, book: LabelBook, names: tuple[str, ...]) -> None:
        self._book, self._names = book, names
        # The ids of messages that took a label back instead of setting it twice.
        self._answered: set[str] = set()

    def label(self, session_id: str, message: Mapping[str, Any]) -> str:
        """Set a label or a note; the same label on the same place takes it back."""
        label, note, decision_id = _texts(message)
        span = _span(message)
        if problem := _refusal(session_id, note, span):
            return problem
        if decision_id in self._answered or label not in ("", *self._names) or not (label or tidied(note)):
            return ""
        old = self._book.same(session_id, label, *(span or ())) if label else None
        if old is not None and not self._book.knows(decision_id):
            self._answered |= {decision_id} - {""}
            return self._written(lambda: self._book.remove(old.decision_id))
        return self._written(
            lambda: self._book.add(session_id, label, **_times(span), note=note, decision_id=decision_id)
        )

    def relabel(self, session_id: str, message: Mapping[str, Any]) -> str:
        """Make a decision what the message says; bring it back where it was taken back."""
        label, note, decision_id = _texts(message)
        span = _span(message)
        if problem := _refusal(session_id, note, span):
            return problem
        present = self._book.get(decision_id)
        if not decision_id or not (label or tidied(note)) or (present and present.session_id != session_id):
            return ""
        # The names that a file of another player brought stay, and only they.
        if label not in ("", *self._names) and not self._book.was_called(decision_id, label):
            return ""
        return self._written(lambda: self._book.change(decision_id, session_id, label, **_times(span), note=note))

    def unlabel(self, session_id: str, message: Mapping[str, Any]) -> str:
        """Take a decision back; the last one of the call where the message names none."""
        ids = [each.decision_id for each in self._book.of(session_id)]
        chosen = str(message.get("id") or (ids[-1] if ids else ""))
        return self._written(lambda: self._book.remove(chosen)) if chosen in ids else ""

    def _written(self, write: Callable[[], object]) -> str:
        try:
            write()
        except OSError as error:
            return f"Not saved: {self._book.path} could not be written ({error.strerror or error})."
        return ""


def _texts(message: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the label, the note and the id of a message; an empty id where it has none that can be one."""
    decision_id = str(message.get("id") or "")
    known = decision_id if _ID.fullmatch(decision_id) else ""
    return str(message.get("label") or ""), str(message.get("note") or ""), known


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
