"""The player's part in the page: messages to it, and answers to what it asks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from kataven_notebook.desk.closeup import CloseUps
from kataven_notebook.desk.delivery import Call
from kataven_notebook.desk.feed import Feed
from kataven_notebook.desk.labelling import Labelling
from kataven_notebook.desk.latest import Latest
from kataven_notebook.desk.listener import Listener
from kataven_notebook.desk.script import compact_style, join_modules, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kataven_notebook.desk.contents import Contents
    from kataven_notebook.desk.sources import CallSource

_STATIC = Path(__file__).parent / "static"
_MAX_WINDOW = 200
_PUSH_AFTER_S = (1.0, 3.0, 8.0)
# A held key chooses 30 calls a second: as long as it is held the kernel sends none of them.
_QUIET_S = 0.1


class Desk(anywidget.AnyWidget):
    """The part of a player that lives in the page.

    `first` is all of it that is saved with a notebook: what the first paint needs, no URL, no
    sound. Everything else goes in messages, named by their `type`.

    Parameters
    ----------
    contents
        What is shown.
    source
        Where the sound comes from.
    """

    _esm = packed(join_modules(_STATIC))
    _css = compact_style((_STATIC / "player.css").read_text(encoding="utf-8"))
    first = traitlets.Dict().tag(sync=True)
    # The page counts here what was decided in it: a synced value is all that some front ends notice.
    decided = traitlets.Int(0).tag(sync=True)

    def __init__(self, contents: Contents, source: CallSource) -> None:
        self._contents, self._calls = contents, contents.calls
        self._labelling = Labelling(contents.book, contents.label_names)
        self._selected = ipywidgets.CallbackDispatcher()
        self._page_is_there = False
        self._queued: list[dict[str, object]] = []
        # The last choice of each view, by which it knows that what the kernel opens is not older than its own.
        self._requests: dict[str, int] = {}
        self._show_latest = Latest(self._show, quiet_s=_QUIET_S)
        self._listener = Listener()
        self._key, self._start_s = contents.opening()
        self._listener.open(self._start_s)
        super().__init__(first=contents.first(self._key, at_s=self._start_s))
        # What the page sends, by its type; anything else is ignored.
        self._answers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "ready": self._on_ready,
            "rows": self._on_rows,
            "open": self._on_open,
            "url": self._on_url,
            "want": self._on_want,
            "decode": self._on_decode,
            "look": self._on_look,
            "state": self._on_state,
            "label": self._decide,
            "relabel": self._decide,
            "unlabel": self._decide,
            "ping": lambda _: self._post({"type": "pong"}),
            "advance": self._on_advance,
            "moments": self._on_moments,
        }
        self.on_msg(self._on_message)
        self._ahead: set[int] = set()
        self._closeups = CloseUps(self._post, source)
        self._feed = Feed(
            self._post,
            source,
            listening=lambda: self._listener.listens(self._duration_s),
            delivered=self._send_next,
        )

    @property
    def position_s(self) -> float:
        """Where the listener is in the open call, in seconds."""
        return self._listener.position_s(self._duration_s)

    @property
    def _duration_s(self) -> float | None:
        return None if self._key is None else self._calls.duration_s(self._key)

    def _open(self, key: int, *, at_s: float = 0.0) -> None:
        """Open a call, in the page and for Python."""
        self._turn_to(key, at_s)
        if self._page_is_there:
            self._show_latest(key, at_s=at_s, requests=dict(self._requests))

    def _command(self, name: str, **details: object) -> None:
        """Send a command to the page, now or as soon as it is there."""
        message = {"type": "command", "name": name, **details}
        if name == "seek":
            to_s = float(str(details["position_s"]))
            self._listener.move(min(to_s, self._duration_s or to_s))
        if self._page_is_there:
            self._post(message)
        else:
            self._queued.append(message)

    def _play_at(self, speed: float) -> None:
        """Play at another speed from now on."""
        self._listener.speed = speed
        self._command("speed", speed=speed)

    def _catch_up(self) -> None:
        """Take over, and show, what other players on the file of labels have decided."""
        for session_id in self._contents.book.refresh():
            key = self._calls.key_of(session_id)
            if key is not None:
                self._relist(key)

    def _relist(self, key: int) -> None:
        """Show the decisions on a call as they are now."""
        if self._page_is_there:
            self._send_labels(self._call_at(key))

    def _push_ahead(self) -> None:
        """Send the open call unasked, a few times, until the first message of the page; for a thread of its own.

        While a cell runs the kernel can send messages, but gets none: it can't know what the page asks for.
        """
        started = time.monotonic()
        for after_s in _PUSH_AFTER_S:
            time.sleep(max(0.0, started + after_s - time.monotonic()))
            if self._page_is_there or self._key is None or self.comm is None:
                return
            self._show(self._key, at_s=self._start_s)

    def close(self) -> None:
        """End the threads, and take the desk out of the page."""
        # ipywidgets closes widgets whose construction failed, too.
        if hasattr(self, "_feed"):
            self._feed.close()
            self._closeups.close()
        super().close()

    def _send_next(self, call: Call) -> None:
        """Send what the listener may open next, once, so that it opens without waiting."""
        order = self._calls.order
        following = self._calls.index_of(call.key) + 1
        if not self._page_is_there or not 0 < following < len(order):
            return
        key = int(order[following])
        if key not in self._ahead and not self._contents.why_silent(key):
            self._ahead.add(key)
            self._post({"type": "ahead", **self._contents.about(key)})
            self._feed.fetch_ahead(self._call_at(key))

    def _post(self, content: dict[str, object], buffers: list[memoryview] | None = None) -> None:
        if self.comm is not None:
            self.send(content, buffers)

    def _turn_to(self, key: int, at_s: float) -> None:
        changed = key != self._key
        self._key, self._start_s = key, at_s
        self._listener.open(at_s)
        if changed:
            self._selected(self._calls.session_id(key))

    def _show(
        self, key: int, *, at_s: float, page_has_it: bool = False, requests: dict[str, int] | None = None
    ) -> None:
        about = self._contents.about(key, at_s=at_s)
        if page_has_it:
            # The page has these from the sound, which is more exact than the frame.
            del about["facts"], about["duration_s"]
        self._post({"type": "call", "requests": requests or {}, "is_sent": not page_has_it, **about})
        if not about["reason"]:
            self._feed.open(self._call_at(key), page_has_it=page_has_it)
        for words in self._contents.words_of(key):
            self._post({"type": "words", "key": key, **words})

    # -- from the page ------------------------------------------------------------------------

    def _on_message(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        self._listener.act()
        answer = self._answers.get(str(content.get("type")))
        if answer is not None:
            answer(content)

    def _on_ready(self, _: Mapping[str, Any]) -> None:
        self._page_is_there = True
        self._ahead.clear()
        if self._key is not None:
            self._show(self._key, at_s=self._start_s, requests=dict(self._requests))
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
            labels=self._contents.label_text,
        )
        start = int(content["start"])
        rows = self._calls.window(start, min(int(content["count"]), _MAX_WINDOW), labels=self._contents.label_text)
        index = -1 if self._key is None else self._calls.index_of(self._key)
        about = {"viewer": content.get("viewer"), "request": content.get("request"), "key": self._key, "index": index}
        found = {"total": len(self._calls.order), "note": self._calls.note}
        self._post({"type": "rows", **about, "start": start, "rows": rows, **found})

    def _on_moments(self, content: Mapping[str, Any]) -> None:
        count = min(int(content["count"]), _MAX_WINDOW)
        self._post({"type": "moments", **self._contents.moments(int(content["start"]), count)})

    def _on_open(self, content: Mapping[str, Any]) -> None:
        key = int(content["key"])
        at_s = float(content.get("at_s") or 0.0)
        self._requests[str(content.get("viewer") or "")] = int(content.get("request") or 0)
        self._catch_up()
        self._turn_to(key, at_s)
        has = bool(content.get("page_has_it"))
        self._show_latest(key, at_s=at_s, page_has_it=has, requests=dict(self._requests))

    def _on_url(self, content: Mapping[str, Any]) -> None:
        self._feed.renew(self._call(content), again=bool(content.get("again")))

    def _on_want(self, content: Mapping[str, Any]) -> None:
        # Another view has the sound, or it did not come whole.
        call = self._call(content)
        if call.key == self._key and not self._contents.why_silent(call.key):
            self._feed.open(call)

    def _on_decode(self, content: Mapping[str, Any]) -> None:
        self._feed.decode(self._call(content))

    def _on_look(self, content: Mapping[str, Any]) -> None:
        self._closeups.ask(self._call(content).session_id, content)

    def _on_state(self, content: Mapping[str, Any]) -> None:
        if content.get("key") == self._key:
            speed, is_playing = float(content["speed"]), bool(content["playing"])
            at_s, view = float(content["position_s"]), str(content.get("viewer") or "")
            self._listener.play(at_s, is_playing=is_playing, speed=speed, view=view)

    def _decide(self, content: Mapping[str, Any]) -> None:
        # The call is the one that the message names: another one may be open by now.
        call, op = self._labelled(content), content.get("op")
        self._catch_up()
        problem, again = self._labelling.take(call.session_id, content)
        # The page keeps what it told until it is told that it is saved, or why not.
        if problem:
            self._post({"type": "problem", "key": call.key, "text": problem, "op": op, "again": again})
        self._send_labels(call, op=None if problem else op)

    def _labelled(self, content: Mapping[str, Any]) -> Call:
        """Return the call that was labelled; what comes late was told in a player of another frame."""
        if not content.get("late"):
            return self._call(content)
        session_id = str(content.get("session") or "")
        key = self._calls.key_on_page(session_id)
        given = int(content["key"])
        if key is None and given in self._calls.keys and self._calls.title(given) == session_id:
            # It was opened while the kernel was gone: the page knows it as it is shown.
            return self._call_at(given)
        return Call(-1, session_id) if key is None else self._call_at(key)

    def _send_labels(self, call: Call, *, op: object = None) -> None:
        self._post({"type": "labels", "key": call.key, "op": op, **self._contents.decided(call.session_id)})

    def _on_advance(self, content: Mapping[str, Any]) -> None:
        if content.get("key") != self._key or self._key is None:
            return
        key = self._contents.next_unlabelled(self._key)
        if key is None:
            self._post({"type": "problem", "key": self._key, "text": "No other call of this list is without a label."})
        else:
            self._open(key)

    def _call(self, content: Mapping[str, Any]) -> Call:
        key = int(content["key"])
        # A frame without rows has no call, and its page sends -1.
        return self._call_at(key) if key >= 0 else Call(key, "")

    def _call_at(self, key: int) -> Call:
        return Call(key, self._calls.session_id(key), self._calls.alias(key))
