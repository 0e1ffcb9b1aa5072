"""Sends sound, peaks and fresh URLs to the page, from threads, also while the kernel runs a cell."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kataven_notebook.clock import duration_text
from kataven_notebook.desk.peaks import frames_per_bin, peak_blocks
from kataven_notebook.desk.playable import playable
from kataven_notebook.errors import DecodeError, KatavenError, SessionError
from kataven_notebook.redact import redact
from kataven_notebook.sound.formats import LOSSLESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.desk.sources import CallSource
    from kataven_notebook.sound.recording import Recording

_LOG = logging.getLogger(__name__)

# Small enough that another request of the page is answered soon: between two parts.
_PART_BYTES = 4 << 20
# Up to this size the sound is sent before the picture, so that it plays at once. Above it the picture is sent first
# where decoding takes no time. That of a compressed hour takes seconds, and its sound is small.
_SOUND_FIRST_BYTES = 1 << 20
# The largest sound that is sent before the page asks for it.
_AHEAD_BYTES = 8 << 20


class Send(Protocol):
    """Sends one message to the page."""

    def __call__(self, content: dict[str, object], buffers: list[memoryview] | None = None) -> None:
        """Send `content`; `buffers` travel as binary beside it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the feed knows it: its key in the list and its session."""

    key: int
    session_id: str


class Feed:
    """Sends what the page of one player needs.

    Each delivery has its own daemon thread: a message sent from one arrives in milliseconds also
    while the kernel's main thread runs a cell. Sound and URLs go in messages only, never in
    synced state, so that none is saved with the notebook.

    Parameters
    ----------
    send
        Sends a message to the page; callable from any thread.
    source
        Where the sound comes from.
    listening
        Returns whether the listener is active; only then a URL is renewed before it expires, as each
        one costs a request.
    delivered
        Called, in a thread, when the sound of the open call has been sent.
    """

    def __init__(
        self,
        send: Send,
        source: CallSource,
        *,
        listening: Callable[[], bool],
        delivered: Callable[[Call], None],
    ) -> None:
        self._send = send
        self._source = source
        self._listening = listening
        self._delivered = delivered
        self._current: Call | None = None
        self._renewal: threading.Timer | None = None
        self._lock = threading.Lock()

    def open(self, call: Call, *, page_has_it: bool = False) -> None:
        """Deliver a call; deliveries of other calls stop."""
        with self._lock:
            self._current = call
            self._cancel_renewal()
        if not page_has_it:
            self._start(self._deliver, call)

    def fetch_ahead(self, call: Call) -> None:
        """Deliver a call that may come next, if that costs nothing: small, and in the kernel."""
        self._start(self._deliver_ahead, call)

    def renew(self, call: Call) -> None:
        """Send a new URL: the storage refused the last one."""
        self._start(self._deliver_url, call, True)

    def decode(self, call: Call) -> None:
        """Send a call as WAV: the page found that it can't play what it got."""
        self._start(self._deliver_decoded, call)

    def close(self) -> None:
        """End all deliveries and renewals."""
        with self._lock:
            self._current = None
            self._cancel_renewal()

    def _start(self, work: Callable[..., None], call: Call, *args: object) -> None:
        name = f"kataven-player-{work.__name__.strip('_')}"
        threading.Thread(target=self._guarded, args=(work, call, *args), name=name, daemon=True).start()

    def _guarded(self, work: Callable[..., None], call: Call, *args: object) -> None:
        try:
            work(call, *args)
        except (KatavenError, OSError) as error:
            self._say(call, _words(error))
        except Exception:  # noqa: BLE001 - said in the page and logged: a thread has no cell to fail in
            # No cell shows the traceback of a thread: the page shows a sentence, the log has the rest.
            _LOG.exception("the player could not bring the sound of a call")
            self._say(call, "The player failed in the kernel; its log has the traceback.")

    def _say(self, call: Call, text: str) -> None:
        self._send({"type": "problem", "key": call.key, "text": text})

    def _wanted(self, call: Call) -> bool:
        return self._current == call

    def _deliver(self, call: Call) -> None:
        recording = self._source.sound(call.session_id)
        if not self._wanted(call):
            return
        if recording is None:
            self._deliver_url(call, False)
        elif recording.size_bytes <= _SOUND_FIRST_BYTES or recording.format not in LOSSLESS:
            self._send_sound(call, recording, lambda: self._wanted(call))
            self._send_peaks(call, recording, lambda: self._wanted(call))
        else:
            self._send_peaks(call, recording, lambda: self._wanted(call))
            self._send_sound(call, recording, lambda: self._wanted(call))
        if recording is not None and self._wanted(call):
            self._delivered(call)

    def _deliver_ahead(self, call: Call) -> None:
        recording = self._source.sound(call.session_id)
        if recording is not None and recording.size_bytes <= _AHEAD_BYTES:
            self._send_sound(call, recording, lambda: True)
            self._send_peaks(call, recording, lambda: True)

    def _deliver_decoded(self, call: Call) -> None:
        recording = self._source.sound(call.session_id)
        if recording is not None:
            self._send_sound(call, recording, lambda: True, decode=True)

    def _send_sound(
        self, call: Call, recording: Recording, wanted: Callable[[], bool], *, decode: bool = False
    ) -> None:
        self._send({"type": "facts", "key": call.key, "facts": _facts(recording)})
        sound = playable(recording, decode=decode)
        data = memoryview(sound.data)
        parts = max(1, -(-len(data) // _PART_BYTES))
        for part in range(parts):
            if not wanted():
                return
            content = {
                "type": "sound",
                "key": call.key,
                "part": part,
                "parts": parts,
                "decoded": decode,
                "file": f"{_file_name(call)}.{sound.extension}",
                "mime": sound.mime_type,
            }
            self._send(content, [data[part * _PART_BYTES : (part + 1) * _PART_BYTES]])

    def _send_peaks(self, call: Call, recording: Recording, wanted: Callable[[], bool]) -> None:
        self._send({"type": "facts", "key": call.key, "facts": _facts(recording)})
        size = frames_per_bin(recording.sample_rate)
        content = {
            "type": "peaks",
            "key": call.key,
            "channels": recording.channels,
            "bins_per_s": recording.sample_rate / size,
            "total_bins": -(-recording.frames // size),
        }
        try:
            for first_bin, peaks in peak_blocks(recording, block_s=60.0):
                if not wanted():
                    return
                loudest = float((peaks.max() / 255) ** 2)
                message = {**content, "first_bin": first_bin, "loudest": loudest}
                self._send(message, [memoryview(peaks.tobytes())])
        except DecodeError as error:
            self._say(call, f"The waveform breaks off: {_words(error)}")

    def _deliver_url(self, call: Call, fresh: bool) -> None:  # noqa: FBT001 - passed on by the thread's start
        url, lives_s = self._source.signed_url(call.session_id, fresh=fresh)
        if not self._wanted(call):
            return
        self._send({"type": "url", "key": call.key, "url": url, "lives_s": lives_s})
        self._schedule(call, lives_s)

    def _schedule(self, call: Call, lives_s: float) -> None:
        margin_s = min(30.0, max(1.0, 0.2 * lives_s))
        with self._lock:
            self._cancel_renewal()
            if self._wanted(call):
                self._renewal = threading.Timer(max(0.5, lives_s - margin_s), self._renew_ahead, (call,))
                self._renewal.daemon = True
                self._renewal.start()

    def _renew_ahead(self, call: Call) -> None:
        if not self._wanted(call) or not self._listening():
            return
        try:
            self._deliver_url(call, True)
        except (KatavenError, OSError) as error:
            # What plays goes on playing; a page that stalls asks again, and gets the error then.
            _LOG.info("no fresh URL ahead of time: %s", _words(error))

    def _cancel_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None


def _facts(recording: Recording) -> dict[str, object]:
    channels = {1: "mono", 2: "stereo"}.get(recording.channels, f"{recording.channels} channels")
    rate = f"{recording.sample_rate / 1000:g} kHz"
    shown = [duration_text(recording.duration_s), recording.format.upper(), rate, channels]
    return {
        "duration_s": recording.duration_s,
        "channels": recording.channels,
        "facts": " · ".join(shown),
    }


def _file_name(call: Call) -> str:
    return re.sub(r"[^\w-]+", "_", call.session_id)[:100] or "call"


def _words(error: Exception) -> str:
    # The page shows which session it is, so the sentence does without its id.
    text = error.message if isinstance(error, SessionError) else str(error)
    return redact(text[:1].upper() + text[1:])
