"""What a player shows, as the page gets it: the list, one call, its labels, why it has no sound."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kataven_notebook.clock import duration_text
from kataven_notebook.desk.call_list import UNKNOWN
from kataven_notebook.desk.captions import KEYS, captioned, drawn, fitting
from kataven_notebook.desk.roles import channel_names, channel_roles
from kataven_notebook.desk.words import Words
from kataven_notebook.redact import redact
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.desk.call_list import CallList
    from kataven_notebook.desk.labels import LabelBook
    from kataven_notebook.desk.marks import Marks

# What is saved with the notebook: enough for the first paint, and small however long the list is.
_FIRST_ROWS = 30
_FIRST_MOMENTS = 50
# Long texts in many columns would take more than all else; the page asks for the rows that it lacks.
_FIRST_ROWS_BYTES, _FIRST_MOMENTS_BYTES = 4_000, 6_300
# A call opens so long before the moment that is to be heard.
_RUN_UP_S = 2.0
# Such a call has no sound now, and opening it asks for nothing.
_SILENT = frozenset(
    {Status.MISSING, Status.PENDING, Status.INVALID, Status.REFUSED, Status.UNCONFIGURED, Status.CORRUPT}
)
# Such a call is asked for again when it is opened.
_RETRIED = frozenset(
    {Status.LIMITED, Status.EXPIRED, Status.UNSUPPORTED, Status.TOO_LARGE, Status.FAILED, Status.SKIPPED}
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a player shows: the list, the marks, the labels, and what it offers.

    Parameters
    ----------
    calls, marks, book
        The list of calls, what the numbers say of them, and the listener's decisions.
    label_names
        The labels to choose from.
    download
        Whether a call may be saved as a file.
    words
        What is said in them.
    token
        Tells the player from others on its page.
    """

    calls: CallList
    marks: Marks
    book: LabelBook
    label_names: tuple[str, ...]
    download: bool
    words: Words = field(default_factory=lambda: Words(None))
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def opening(self) -> tuple[int | None, float]:
        """Return which call to open first, and where: at the worst moment, else at the first call with sound."""
        for moment in self.marks.moments.window(0, 1 if self.marks.moments.are_judged else 0):
            key = self.calls.key_of(moment["session"])
            if key is not None:
                return key, max(0.0, moment["start_s"] - _RUN_UP_S)
        if not len(self.calls):
            return None, 0.0
        good = (key for key in self.calls.keys.tolist() if self.calls.status(key) not in _SILENT)
        return next(good, int(self.calls.keys[0])), 0.0

    def first(self, key: int | None, *, at_s: float) -> dict[str, Any]:
        """Return what the first paint needs, with the call `key` open; no URL, no sound."""
        opened: dict[str, Any] = {"key": -1, "index": -1, "title": "", "facts": "", "at_s": 0.0}
        opened["reason"] = "There are no calls in this frame."
        if key is not None:
            opened = self.about(key, at_s=at_s, brief=True)
        rows = self.calls.window(0, _FIRST_ROWS, labels=self.label_text)
        return {
            "header": self.calls.header(),
            "rows": fitting(rows, max_bytes=_FIRST_ROWS_BYTES, at_least=6),
            "total": len(self.calls),
            "statuses": self._choices(),
            "common": self._common(),
            "labels": list(self.label_names),
            "annotator": self.book.annotator,
            "download": self.download,
            "moments": fitting(self.moments(0, _FIRST_MOMENTS)["moments"], max_bytes=_FIRST_MOMENTS_BYTES, at_least=6),
            "moments_total": len(self.marks.moments),
            "moments_title": self.marks.moments.title,
            "words": self.words.are_there,
            "opened": opened,
            "keys": KEYS,
            "token": self.token,
            "outbox": self._outbox(),
        }

    def about(self, key: int, *, at_s: float = 0.0, brief: bool = False) -> dict[str, Any]:
        """Return what the page shows of one call; with `brief` without labels and marks."""
        about: dict[str, Any] = {
            "key": key,
            "index": self.calls.index_of(key),
            "session": self.calls.page_id(key),
            "title": self.calls.title(key),
            "reason": self.why_silent(key),
            "facts": self._facts(key),
            "at_s": at_s,
            "duration_s": self.calls.duration_s(key),
        }
        if not brief:
            roles = self._roles(key)
            names = {"names": channel_names(roles), "roles": roles}
            about |= {**self.decided(self.calls.session_id(key)), **names}
        return about

    def decided(self, session_id: str) -> dict[str, Any]:
        """Return the labels and regions of a call, and what is drawn on its sound."""
        decisions = self.book.of(session_id)
        key = self.calls.key_of(session_id)
        duration_s = None if key is None else self.calls.duration_s(key)
        return {
            **drawn(self.marks.of(session_id, duration_s), decisions),
            "labels": [captioned(each, is_own=self.book.is_own(each)) for each in decisions],
            "label_text": self.label_text(session_id),
        }

    def next_unlabelled(self, key: int) -> int | None:
        """Return the call after `key`, in the list as it is sorted and filtered, that can be heard and has no label.

        After the last one come the first. None where there is no such call.
        """
        order = self.calls.order.tolist()
        at = self.calls.index_of(key) + 1
        for each in (*order[at:], *order[:at]):
            done = each == key or self.why_silent(each) or self.book.is_labelled(self.calls.session_id(each))
            if not done:
                return int(each)
        return None

    def label_text(self, session_id: str) -> str:
        """Return the labels of a call in the few words that its row of the list has room for."""
        decisions = self.book.of(session_id)
        words = [each.label for each in decisions if each.start_s is None and each.label]
        regions = sum(each.start_s is not None for each in decisions)
        if regions:
            words.append(f"{regions} region{'' if regions == 1 else 's'}")
        return ", ".join(words) or ("note" if decisions else "")

    def moments(self, start: int, count: int) -> dict[str, Any]:
        """Return some of the moments, as the page lists them."""
        found: list[dict[str, Any]] = []
        for moment in self.marks.moments.window(start, count):
            key = self.calls.key_of(moment["session"])
            if key is not None:
                start_s = moment["start_s"]
                times = {"at": duration_text(start_s), "from_s": max(0.0, start_s - _RUN_UP_S)}
                shown = {"kind": moment["kind"], "detail": moment["detail"]}
                found.append({"key": key, "session": self.calls.title(key), **times, **shown})
        return {"start": start, "moments": found}

    def words_of(self, key: int) -> Iterator[dict[str, Any]]:
        """Yield the words of a call in blocks, as the page takes them; none where the player has no words."""
        roles, duration_s = self._roles(key), self.calls.duration_s(key)
        return self.words.blocks(self.calls.session_id(key), roles=roles, duration_s=duration_s)

    def why_silent(self, key: int) -> str:
        """Return why a call has no sound and what to do, or an empty text where it may have."""
        status = self.calls.status(key)
        if not self.calls.session_id(key):
            return "This row has no session id."
        if status not in _SILENT:
            return ""
        sentence, advice = (self.calls.error(key) or status).rstrip("."), Status(status).advice
        # Advice that the sentence holds already is left out.
        if advice.rpartition(": ")[2].casefold() not in sentence.casefold():
            to_do = advice.replace("nothing", "There is nothing to do", 1)
            sentence += f". {to_do if to_do != advice else f'What to do: {advice}'}"
        return redact(f"{sentence[:1].upper()}{sentence[1:]}.")

    def _facts(self, key: int) -> str:
        status, duration_s = self.calls.status(key), self.calls.duration_s(key)
        parts = [
            "" if status == UNKNOWN else status.replace("_", " "),
            "" if duration_s is None else duration_text(duration_s),
        ]
        # Why it failed: the reader needs it where playing the call fails again.
        if status in _RETRIED:
            parts.append(redact(self.calls.error(key)))
        return " · ".join(filter(None, parts))

    def _roles(self, key: int) -> list[str]:
        said = self.marks.roles(self.calls.session_id(key))
        return channel_roles(self.calls.value(key, "agent_channel"), said, channels=self.calls.value(key, "channels"))

    def _common(self) -> str:
        # A column of equal statuses says less than this.
        counted = self.calls.counts()
        return f", all {next(iter(counted)).replace('_', ' ')}" if len(counted) == 1 and len(self.calls) > 1 else ""

    def _outbox(self) -> dict[str, object]:
        # The path itself would be saved with the notebook, and says whose machine it is.
        place = uuid.uuid4().hex if self.book.path is None else f"{self.book.path}\n{self.book.session_column}"
        file = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return {"file": file, "columns": self.book.columns, "named": self.book.path is not None}

    def _choices(self) -> list[tuple[str, str]]:
        counted = self.calls.counts().items()
        choices = [(status, f"{status.replace('_', ' ')} ({count:,})") for status, count in counted if len(counted) > 1]
        choices += [(each, each) for each in ("labelled", "unlabelled") if self.label_names]
        return [("", "All calls"), *choices]
