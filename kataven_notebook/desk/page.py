"""The player's part in the page, and the kernel's side of their conversation."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import pandas as pd
import traitlets

from kataven_notebook.clock import duration_text
from kataven_notebook.desk.captions import KEYS, captioned, drawn, fitting
from kataven_notebook.desk.feed import Call, Feed
from kataven_notebook.redact import redact
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kataven_notebook.desk.call_list import CallList
    from kataven_notebook.desk.labels import LabelBook
    from kataven_notebook.desk.marks import Marks
    from kataven_notebook.desk.sources import Source

_STATIC = Path(__file__).parent / "static"
# What is saved with the notebook: enough for the first paint, little enough for any list.
_FIRST_ROWS = 30
_FIRST_MOMENTS = 50
# Long texts in many columns would outgrow all else; the page asks for rows that it lacks.
_FIRST_ROWS_BYTES, _FIRST_MOMENTS_BYTES = 4_000, 6_500
_MAX_WINDOW = 200
_RUN_UP_S = 2.0
# A URL is renewed ahead of time for so long after the listener last did something.
_ATTENTION_S = 600.0
_PUSH_AFTER_S = (1.0, 3.0, 8.0)
_SILENT = frozenset(
    {Status.MISSING, Status.PENDING, Status.INVALID, Status.REFUSED, Status.UNCONFIGURED, Status.CORRUPT}
)

_RETRIED = frozenset(set(Status) - _SILENT - {Status.READY, Status.DOWNLOADED})

_MESSAGES = frozenset({"ready", "rows", "open", "url", "decode", "state", "label", "unlabel"})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a desk shows: the list, the marks, the labels, and what it offers.

    Attributes
    ----------
    calls, marks, book
        The list of calls, what the numbers say of them, and the listener's decisions.
    label_names
        The labels to choose from.
    download
        Whether a call may be saved as a file.
    """

    calls: CallList
    marks: Marks
    book: LabelBook
    label_names: tuple[str, ...]
    download: bool


class Desk(anywidget.AnyWidget):
    """The part of a player that lives in the page.

    `first` is all of it that is saved with a notebook: what the first paint needs, no URL, no
    sound. Everything else goes in messages, named by their `type`: what the page sends as "rows"
    is answered by `_on_rows`.

    Parameters
    ----------
    contents
        What is shown.
    source
        Where the sound comes from.
    """

    _esm = _STATIC / "player.js"
    _css = _STATIC / "player.css"
    first = traitlets.Dict().tag(sync=True)

    def __init__(self, contents: Contents, source: Source) -> None:
        self._contents, self._calls, self._book = contents, contents.calls, contents.book
        self.selected = ipywidgets.CallbackDispatcher()
        self.page_is_there = False
        self._queued: list[dict[str, object]] = []
        self._is_playing, self._speed = False, 1.0
        self._position_s, self._position_at = 0.0, time.monotonic()
        self._active_at = time.monotonic()
        self.key, self._start_s = self._opening()
        self._note_position(self._start_s)
        super().__init__(first=self._first())
        self.on_msg(self._on_message)
        self._ahead: set[int] = set()
        self._feed = Feed(self._post, source, listening=self._listens, delivered=self._send_next)

    @property
    def position_s(self) -> float:
        """Where the listener is; between two reports of a playing page, where he must be by now."""
        if not self._is_playing:
            return self._position_s
        position_s = self._position_s + (time.monotonic() - self._position_at) * self._speed
        return min(position_s, self._duration_s(self.key) or position_s)

    def turn_to(self, key: int, *, at_s: float = 0.0) -> None:
        """Open a call, in the page and for Python."""
        self._turn_to(key, at_s)
        if self.page_is_there:
            self._show(key, at_s=at_s)

    def command(self, name: str, **details: object) -> None:
        """Have the page do something, now or as soon as it is there."""
        message = {"type": "command", "name": name, **details}
        if name == "seek":
            to_s = float(str(details["position_s"]))
            self._note_position(min(to_s, self._duration_s(self.key) or to_s))
        if self.page_is_there:
            self._post(message)
        else:
            self._queued.append(message)

    def push_ahead(self) -> None:
        """Send the open call unasked while the page can't be heard; for a thread of its own.

        While a cell runs the kernel hears nothing from the page and can only speak: so it says
        what the page would ask for, a few times, until the page was heard.
        """
        started = time.monotonic()
        for after_s in _PUSH_AFTER_S:
            time.sleep(max(0.0, started + after_s - time.monotonic()))
            if self.page_is_there or self.key is None or self.comm is None:
                return
            self._show(self.key, at_s=self._start_s)

    def close(self) -> None:
        """End the threads, and take the desk out of the page."""
        # ipywidgets closes widgets whose construction failed, too.
        if hasattr(self, "_feed"):
            self._feed.close()
        super().close()

    # -- what the page is told -----------------------------------------------------------------

    def _first(self) -> dict[str, Any]:
        opened: dict[str, Any] = {"key": -1, "index": -1, "title": "", "facts": "", "at_s": 0.0}
        opened["reason"] = "There are no calls in this frame."
        if self.key is not None:
            opened = self._about(self.key, at_s=self._start_s, brief=True)
        rows = self._calls.window(0, _FIRST_ROWS, labels=self._label_text)
        return {
            "header": self._calls.header(),
            "rows": fitting(rows, max_bytes=_FIRST_ROWS_BYTES, at_least=6),
            "total": len(self._calls),
            "widths": self._widths(),
            "statuses": self._choices(),
            "labels": list(self._contents.label_names),
            "download": self._contents.download,
            "moments": self._moments(),
            "opened": opened,
            "keys": KEYS,
        }

    def _opening(self) -> tuple[int | None, float]:
        for moment in self._contents.marks.moments:
            key = self._calls.key_of(moment["session"])
            if key is not None:
                return key, max(0.0, moment["start_s"] - _RUN_UP_S)
        if not len(self._calls):
            return None, 0.0
        good = (key for key in self._calls.keys.tolist() if self._calls.status(key) not in _SILENT)
        return next(good, int(self._calls.keys[0])), 0.0

    def _choices(self) -> list[tuple[str, str]]:
        counted = self._calls.counts().items()
        choices = [("", "All statuses")]
        choices += [(status, f"{status.replace('_', ' ')} ({count:,})") for status, count in counted]
        return choices + [(each, each) for each in ("labelled", "unlabelled") if self._contents.label_names]

    def _widths(self) -> str:
        header = self._calls.header()
        special = {"session": "1.6fr", "status": "minmax(124px, 1fr)"}
        widths = [special.get(str(each["id"]), "1fr") for each in header]
        return f"--columns:{' '.join(widths)};--least:{len(header) * 118}px"

    def _decided(self, session_id: str) -> dict[str, Any]:
        decisions = self._book.of(session_id)
        return {
            **drawn(self._contents.marks.of(session_id), decisions),
            "labels": [captioned(each) for each in decisions],
            "pressed": [each.label for each in decisions if each.is_of_whole_call],
            "label_text": self._label_text(session_id),
        }

    def _moments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for moment in self._contents.marks.moments:
            key = self._calls.key_of(moment["session"])
            if key is not None and len(found) < _FIRST_MOMENTS:
                start_s = moment["start_s"]
                times = {"at": duration_text(start_s), "from_s": max(0.0, start_s - _RUN_UP_S)}
                shown = {"kind": moment["kind"], "detail": moment["detail"]}
                found.append({"key": key, "session": self._calls.title(key), **times, **shown})
        return fitting(found, max_bytes=_FIRST_MOMENTS_BYTES, at_least=6)

    def _about(self, key: int, *, at_s: float = 0.0, brief: bool = False) -> dict[str, Any]:
        session_id = self._calls.session_id(key)
        about: dict[str, Any] = {
            "key": key,
            "index": self._calls.index_of(key),
            "title": self._calls.title(key),
            "reason": self._why_silent(key),
            "facts": self._facts(key),
            "at_s": at_s,
            "duration_s": self._duration_s(key),
        }
        if not brief:
            about |= {
                **self._decided(session_id),
                "names": self._channel_names(key),
            }
        return about

    def _why_silent(self, key: int) -> str:
        status = self._calls.status(key)
        if not self._calls.session_id(key):
            return "This row has no session id."
        if status not in _SILENT:
            return ""
        sentence, advice = (self._calls.error(key) or status).rstrip("."), Status(status).advice
        # What the sentence says already is not said twice.
        if advice.rpartition(": ")[2].casefold() not in sentence.casefold():
            to_do = advice.replace("nothing", "There is nothing to do", 1)
            sentence += f". {to_do if to_do != advice else f'What to do: {advice}'}"
        return redact(f"{sentence[:1].upper()}{sentence[1:]}.")

    def _channel_names(self, key: int) -> list[str]:
        agent = self._calls.value(key, "agent_channel")
        if agent is None or pd.isna(agent) or agent not in (0, 1):
            return []
        return ["Agent", "Caller"] if agent == 0 else ["Caller", "Agent"]

    def _duration_s(self, key: int | None) -> float | None:
        return None if key is None else self._calls.duration_s(key)

    def _facts(self, key: int) -> str:
        status, duration_s = self._calls.status(key), self._duration_s(key)
        parts = [status.replace("_", " "), "" if duration_s is None else duration_text(duration_s)]
        # Why it failed, for when playing it now fails, too.
        if status in _RETRIED:
            parts.append(redact(self._calls.error(key)))
        return " · ".join(filter(None, parts))

    def _label_text(self, session_id: str) -> str:
        decisions = self._book.of(session_id)
        words = [each.label for each in decisions if each.start_s is None and each.label]
        regions = sum(each.start_s is not None for each in decisions)
        if regions:
            words.append(f"{regions} region{'' if regions == 1 else 's'}")
        return ", ".join(words) or ("note" if decisions else "")

    def _send_next(self, call: Call) -> None:
        """Send what the listener may open next, once, so that it opens without waiting."""
        order = self._calls.order
        following = self._calls.index_of(call.key) + 1
        if not self.page_is_there or not 0 < following < len(order):
            return
        key = int(order[following])
        if key not in self._ahead and not self._why_silent(key):
            self._ahead.add(key)
            self._post({"type": "ahead", **self._about(key)})
            self._feed.fetch_ahead(Call(key, self._calls.session_id(key)))

    def _post(self, content: dict[str, object], buffers: list[memoryview] | None = None) -> None:
        if self.comm is not None:
            self.send(content, buffers)

    def _turn_to(self, key: int, at_s: float) -> None:
        changed = key != self.key
        self.key, self._start_s, self._is_playing = key, at_s, False
        self._note_position(at_s)
        if changed:
            self.selected(self._calls.session_id(key))

    def _show(self, key: int, *, at_s: float, page_has_it: bool = False, request: int | None = None) -> None:
        about = self._about(key, at_s=at_s)
        if page_has_it:
            # What it found in the sound is better than what the frame says.
            del about["facts"], about["duration_s"]
        self._post({"type": "call", "request": request, **about})
        if not about["reason"]:
            self._feed.open(Call(key, self._calls.session_id(key)), page_has_it=page_has_it)

    # -- what the page says --------------------------------------------------------------------

    def _on_message(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        self._active_at = time.monotonic()
        if content.get("type") in _MESSAGES:
            getattr(self, f"_on_{content['type']}")(content)

    def _on_ready(self, _: Mapping[str, Any]) -> None:
        self.page_is_there = True
        self._ahead.clear()
        if self.key is not None:
            self._show(self.key, at_s=self._start_s)
        for message in self._queued:
            self._post(message)
        self._queued.clear()

    def _on_rows(self, content: Mapping[str, Any]) -> None:
        view = content["view"]
        self._calls.arrange(
            sort=view["sort"] or None,
            descending=bool(view["descending"]),
            status=str(view["status"]),
            text=str(view["text"]),
            labels=self._label_text,
        )
        start = int(content["start"])
        rows = self._calls.window(start, min(int(content["count"]), _MAX_WINDOW), labels=self._label_text)
        index = -1 if self.key is None else self._calls.index_of(self.key)
        request, total = content.get("request"), len(self._calls.order)
        self._post({"type": "rows", "request": request, "start": start, "rows": rows, "total": total, "index": index})

    def _on_open(self, content: Mapping[str, Any]) -> None:
        key = int(content["key"])
        at_s = float(content.get("at_s") or 0.0)
        self._turn_to(key, at_s)
        has = bool(content.get("page_has_it"))
        self._show(key, at_s=at_s, page_has_it=has, request=content.get("request"))

    def _on_url(self, content: Mapping[str, Any]) -> None:
        self._feed.renew(self._call(content))

    def _on_decode(self, content: Mapping[str, Any]) -> None:
        self._feed.decode(self._call(content))

    def _on_state(self, content: Mapping[str, Any]) -> None:
        if content.get("key") == self.key:
            self._is_playing, self._speed = bool(content["playing"]), float(content["speed"])
            self._note_position(float(content["position_s"]))

    def _on_label(self, content: Mapping[str, Any]) -> None:
        call = self._call(content)
        label, note = str(content.get("label") or ""), str(content.get("note") or "")
        start_s, end_s = content.get("start_s"), content.get("end_s")
        old = [each for each in self._book.of(call.session_id) if each.label == label and each.is_of_whole_call]
        if len(call.session_id.splitlines()) != 1:
            # A record of the file is a line, so that a half-written one can be told.
            why = "Not saved: a label needs a session id of one line, and this row has none."
            self._decide(call, lambda: None, problem=why)
        elif label not in ("", *self._contents.label_names) or not (label or note.strip()):
            self._decide(call, lambda: None)
        elif label and old and start_s is None:
            self._decide(call, lambda: self._book.remove(old[-1].decision_id))
        else:
            self._decide(call, lambda: self._book.add(call.session_id, label, start_s=start_s, end_s=end_s, note=note))

    def _on_unlabel(self, content: Mapping[str, Any]) -> None:
        call = self._call(content)
        ids = [each.decision_id for each in self._book.of(call.session_id)]
        chosen = str(content.get("id") or (ids[-1] if ids else ""))
        self._decide(call, lambda: self._book.remove(chosen))

    def _decide(self, call: Call, work: Callable[[], object], *, problem: str = "") -> None:
        try:
            work()
        except OSError as error:
            problem = f"Not saved: {self._book.path} could not be written ({error.strerror or error})."
        self._post({"type": "labels", "key": call.key, **self._decided(call.session_id)})
        if problem:
            self._post({"type": "problem", "key": call.key, "text": problem})

    def _call(self, content: Mapping[str, Any]) -> Call:
        key = int(content["key"])
        # A frame without rows has no call, and its page says so with -1.
        return Call(key, self._calls.session_id(key) if key >= 0 else "")

    def _note_position(self, position_s: float) -> None:
        self._position_s, self._position_at = position_s, time.monotonic()

    def _listens(self) -> bool:
        if time.monotonic() - self._active_at < _ATTENTION_S:
            return True
        duration_s = self._duration_s(self.key)
        return self._is_playing and (duration_s is None or self.position_s < duration_s)
