"""Sends sound, peaks and fresh URLs to the page, from threads, also while the kernel runs a cell."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from kataven_notebook.desk.delivery import Call, Delivery, in_words
from kataven_notebook.desk.far_sound import fetched
from kataven_notebook.desk.far_waves import FarWaves
from kataven_notebook.desk.troubles import plays, sentence, was_refused
from kataven_notebook.errors import KatavenError
from kataven_notebook.service.ranges import look
from kataven_notebook.sound.formats import LOSSLESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.desk.delivery import Send
    from kataven_notebook.desk.sources import CallSource
    from kataven_notebook.sound.recording import Recording

_LOG = logging.getLogger(__name__)

# Up to this size the sound is sent before the picture, so that it plays at once. Above it the picture is sent first
# where decoding takes no time. That of a compressed hour takes seconds, and its sound is small.
_SOUND_FIRST_BYTES = 1 << 20
# The largest sound that is sent before the page asks for it.
_AHEAD_BYTES = 8 << 20
# How long the storage may take to answer the kernel: the listener reads within two seconds why nothing is heard.
_LOOK_S = 0.6
# A URL that is refused so soon after it was signed is not signed again: each costs a request.
_JUST_SIGNED_S = 2.0


class _Signed(NamedTuple):
    url: str
    signed_at: float
    ends_at: float


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
        self._count = 0
        # The newest delivery of each call: it ends those before it.
        self._newest: dict[int, int] = {}
        self._urls: dict[int, _Signed] = {}
        self._renewing: set[int] = set()
        # What the kernel fetched last for a page that could not play it from its URL.
        self._fetched: tuple[Call, Recording] | None = None
        self._waves = FarWaves(lambda key: self._urls[key].url)

    def open(self, call: Call, *, page_has_it: bool = False) -> None:
        """Deliver a call; deliveries of other calls stop."""
        with self._lock:
            self._current = call
            self._cancel_renewal()
        if not page_has_it:
            self._start(self._deliver, self._begin(call, self._is_open))

    def fetch_ahead(self, call: Call) -> None:
        """Deliver a call that may come next, if that costs nothing: small, and in the kernel."""
        self._start(self._deliver_ahead, self._begin(call, self._is_newest))

    def renew(self, call: Call, *, again: bool = False) -> None:
        """Find out why a URL gives no sound, and send one that does, or say why there is none.

        Parameters
        ----------
        call
            Which call.
        again
            Whether the page has tried already what was sent last.
        """
        with self._lock:
            # Several views may ask at once; one answer serves all.
            if call.key in self._renewing:
                return
            self._renewing.add(call.key)
        self._start(self._renew, Delivery(call, 0, self._send, self._is_open), again)

    def decode(self, call: Call) -> None:
        """Send a call as WAV: the page found that it can't play what it got."""
        self._start(self._deliver_decoded, self._begin(call, self._is_newest))

    def close(self) -> None:
        """End all deliveries and renewals."""
        with self._lock:
            self._current = None
            self._newest.clear()
            self._cancel_renewal()

    def _begin(self, call: Call, is_wanted: Callable[[Delivery], bool]) -> Delivery:
        with self._lock:
            self._count += 1
            self._newest[call.key] = self._count
            return Delivery(call, self._count, self._send, is_wanted)

    def _start(self, work: Callable[..., None], delivery: Delivery, *args: object) -> None:
        name = f"kataven-player-{work.__name__.strip('_')}"
        threading.Thread(target=self._guarded, args=(work, delivery, *args), name=name, daemon=True).start()

    def _guarded(self, work: Callable[..., None], delivery: Delivery, *args: object) -> None:
        try:
            work(delivery, *args)
        except (KatavenError, OSError) as error:
            delivery.say(in_words(error))
        except Exception:  # noqa: BLE001 - said in the page and logged: a thread has no cell to fail in
            # No cell shows the traceback of a thread: the page shows a sentence, the log has the rest.
            _LOG.exception("the player could not bring the sound of a call")
            delivery.say("The player failed in the kernel; its log has the traceback.")

    def _is_newest(self, delivery: Delivery) -> bool:
        return self._newest.get(delivery.call.key) == delivery.number

    def _is_open(self, delivery: Delivery) -> bool:
        return self._current == delivery.call and (not delivery.number or self._is_newest(delivery))

    def _deliver(self, delivery: Delivery) -> None:
        recording = self._sound(delivery.call)
        if not delivery.is_wanted(delivery):
            return
        if recording is None:
            self._send_url(delivery, fresh=False)
            self._waves.send(delivery)
            return
        if recording.size_bytes <= _SOUND_FIRST_BYTES or recording.format not in LOSSLESS:
            delivery.send_sound(recording)
            delivery.send_peaks(recording)
        else:
            delivery.send_peaks(recording)
            delivery.send_sound(recording)
        if delivery.is_wanted(delivery):
            self._delivered(delivery.call)

    def _sound(self, call: Call) -> Recording | None:
        recording = self._source.sound(call.session_id)
        if recording is None and self._fetched is not None and self._fetched[0] == call:
            return self._fetched[1]
        return recording

    def _deliver_ahead(self, delivery: Delivery) -> None:
        recording = self._source.sound(delivery.call.session_id)
        if recording is not None and recording.size_bytes <= _AHEAD_BYTES:
            delivery.send_sound(recording)
            delivery.send_peaks(recording)

    def _deliver_decoded(self, delivery: Delivery) -> None:
        recording = self._sound(delivery.call)
        if recording is not None:
            delivery.send_sound(recording, decode=True)
            # It has ended the delivery before it, perhaps in the middle of the picture.
            delivery.send_peaks(recording)

    # -- signed URLs --------------------------------------------------------------------------

    def _send_url(self, delivery: Delivery, *, fresh: bool) -> None:
        call = delivery.call
        url, lives_s = self._source.signed_url(call.session_id, fresh=fresh)
        now = time.monotonic()
        known = self._urls.get(call.key)
        signed_at = known.signed_at if known is not None and known.url == url else now
        self._urls[call.key] = _Signed(url, signed_at, now + lives_s)
        if delivery.is_wanted(delivery):
            self._send({"type": "url", "key": call.key, "url": url, "lives_s": lives_s})
            self._schedule(delivery, lives_s)

    def _renew(self, delivery: Delivery, again: bool) -> None:  # noqa: FBT001 - passed on by the thread's start
        try:
            self._send_what_plays(delivery, again=again)
        finally:
            with self._lock:
                self._renewing.discard(delivery.call.key)

    def _send_what_plays(self, delivery: Delivery, *, again: bool) -> None:
        known = self._urls.get(delivery.call.key)
        now = time.monotonic()
        if known is None or now > known.ends_at:
            self._send_url(delivery, fresh=known is not None)
            return
        found = look(known.url, timeout_s=_LOOK_S)
        if plays(found) and not again:
            # The page's connection is dead, and not the URL.
            lives_s = known.ends_at - now
            self._send({"type": "url", "key": delivery.call.key, "url": known.url, "lives_s": lives_s})
        elif was_refused(found) and now - known.signed_at > _JUST_SIGNED_S:
            self._send_url(delivery, fresh=True)
            if self._urls[delivery.call.key].url == known.url:
                delivery.say(sentence(found))
        elif plays(found):
            self._fetch(delivery, known.url)
        else:
            delivery.say(sentence(found))

    def _fetch(self, delivery: Delivery, url: str) -> None:
        """Bring what the storage gives the kernel and not the page, or in a format that browsers don't play."""
        delivery.say("The browser can't play it from its URL: the kernel fetches it, and it plays when it is here.")
        self._fetched = delivery.call, fetched(url, session_id=delivery.call.session_id)
        if delivery.is_wanted(delivery):
            delivery = self._begin(delivery.call, self._is_open)
            delivery.send_facts(wave="")
            self._deliver(delivery)

    def _schedule(self, delivery: Delivery, lives_s: float) -> None:
        margin_s = min(30.0, max(1.0, 0.2 * lives_s))
        with self._lock:
            self._cancel_renewal()
            if self._current == delivery.call:
                ahead = Delivery(delivery.call, 0, self._send, self._is_open)
                self._renewal = threading.Timer(max(0.5, lives_s - margin_s), self._renew_ahead, (ahead,))
                self._renewal.daemon = True
                self._renewal.start()

    def _renew_ahead(self, delivery: Delivery) -> None:
        if not delivery.is_wanted(delivery) or not self._listening():
            return
        try:
            self._send_url(delivery, fresh=True)
        except (KatavenError, OSError) as error:
            # What plays goes on playing; a page that stalls asks again, and gets the error then.
            _LOG.info("no fresh URL ahead of time: %s", in_words(error))

    def _cancel_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
