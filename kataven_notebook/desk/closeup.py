"""Sends the page what it needs for a closer look at a part of a call, from a thread: finer peaks, a spectrogram."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.desk.peaks import fine_peaks
from kataven_notebook.desk.spectrogram import FLOOR_DB, MAX_COLUMNS, ROWS, STEP_DB, spectrogram
from kataven_notebook.errors import KatavenError, SessionError
from kataven_notebook.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kataven_notebook.desk.sources import CallSource
    from kataven_notebook.sound.recording import Recording

_LOG = logging.getLogger(__name__)

_MAX_BINS = 1 << 16
# Of what is looked at sample by sample; the page asks for seconds.
_MAX_DETAIL_S = 120.0


class CloseUps:
    """Answers one wish at a time, the last of each view and kind: who zooms on wants no answer to what was before.

    Parameters
    ----------
    post
        Sends a message to the page; callable from any thread.
    source
        Where the sound comes from; calls whose sound it does not have get no closer look.
    """

    def __init__(self, post: Callable[[dict[str, object], list[memoryview]], None], source: CallSource) -> None:
        self._post = post
        self._source = source
        self._wishes: dict[tuple[object, str], tuple[str, Mapping[str, Any]]] = {}
        self._works = False
        self._lock = threading.Lock()
        # The sound that was looked at last, as the next look is at the same call.
        self._last: tuple[str, Recording] | None = None

    def ask(self, session_id: str, wish: Mapping[str, Any]) -> None:
        """Answer a wish of the page: `what` it wants, its `view`, its call's `key`, `from_s`, `to_s` and `columns`."""
        with self._lock:
            self._wishes[wish.get("view"), str(wish.get("what"))] = (session_id, wish)
            if self._works:
                return
            self._works = True
        threading.Thread(target=self._work, name="kataven-player-look", daemon=True).start()

    def close(self) -> None:
        """Forget what was asked and what was looked at."""
        with self._lock:
            self._wishes.clear()
            self._last = None

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wishes:
                    self._works = False
                    return
                session_id, wish = self._wishes.pop(next(iter(self._wishes)))
            try:
                self._answer(session_id, wish)
            except (KatavenError, OSError, ValueError) as error:
                text = error.message if isinstance(error, SessionError) else str(error)
                self._refuse(wish, f"No closer look: {redact(text)}")
            except Exception:  # noqa: BLE001 - said in the page and logged: a thread has no cell to fail in
                _LOG.exception("the player could not look closer at a call")
                self._refuse(wish, "The player failed in the kernel; its log has the traceback.")

    def _answer(self, session_id: str, wish: Mapping[str, Any]) -> None:
        recording = self._sound(session_id)
        if recording is None:
            self._refuse(wish, "A spectrogram needs the sound: run audio() on the frame.")
            return
        start_s, end_s, columns = float(wish["from_s"]), float(wish["to_s"]), int(wish["columns"])
        if not (math.isfinite(start_s) and math.isfinite(end_s)):
            return
        about = {
            "type": "look",
            "from_s": start_s,
            "to_s": end_s,
            **{name: wish[name] for name in ("key", "what", "view")},
        }
        if wish["what"] == "detail":
            found = fine_peaks(recording, start_s, min(end_s, start_s + _MAX_DETAIL_S), bins=min(columns, _MAX_BINS))
            about |= {"first_bin": found.first_bin, "bins_per_s": found.bins_per_s, "is_finest": found.is_finest}
            about["bins"] = found.peaks.shape[2]
            data = found.peaks.astype("<i2").tobytes()
        else:
            columns = min(max(1, columns), MAX_COLUMNS)
            top_hz, levels = spectrogram(recording, start_s, end_s, columns=columns)
            about |= {"top_hz": top_hz, "rows": ROWS, "columns": columns, "channels": len(levels)}
            about |= {"floor_db": FLOOR_DB, "step_db": STEP_DB}
            data = np.ascontiguousarray(levels).tobytes()
        self._post(about, [memoryview(data)])

    def _sound(self, session_id: str) -> Recording | None:
        last = self._last
        if last is None or last[0] != session_id:
            found = self._source.sound(session_id)
            last = None if found is None else (session_id, found.near())
            with self._lock:
                self._last = last
        return None if last is None else last[1]

    def _refuse(self, wish: Mapping[str, Any], text: str) -> None:
        # Without finer peaks the coarse ones stay, which nobody has to be told.
        if wish.get("what") == "spectrum":
            self._post({"type": "problem", "key": wish.get("key"), "text": text}, [])
