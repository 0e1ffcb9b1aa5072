"""Waveforms of calls that play from a URL: read once while the listener is there, and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kataven_notebook.desk.delivery import facts_of, in_words, peak_messages
from kataven_notebook.desk.far_sound import MAX_HELD_BYTES, TIMEOUT_S, FarFile, far_sound
from kataven_notebook.errors import DownloadFailed, KatavenError
from kataven_notebook.service.ranges import RangeReader
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.desk.delivery import Delivery
    from kataven_notebook.service.ranges import Part

_READING = "The waveform is being read."
# Who runs through a list of calls asks for none of their waveforms.
_PAUSE_S = 0.3
_BLOCK_S = 30.0
# An hour of stereo takes 720 kB.
_MAX_KEPT = 8


@dataclass(slots=True)
class _Wave:
    """What is known of one waveform."""

    delivery: Delivery
    is_reading: bool = False
    is_whole: bool = False
    facts: dict[str, object] = field(default_factory=dict)
    blocks: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)


class FarWaves:
    """Sends the waveforms of calls that only the page plays.

    Parameters
    ----------
    url_of
        Returns the newest URL of a call by its key. None is signed for a waveform: it ends where the URL does.
    """

    def __init__(self, url_of: Callable[[int], str]) -> None:
        self._url_of = url_of
        self._waves: OrderedDict[int, _Wave] = OrderedDict()
        self._lock = threading.Lock()

    def send(self, delivery: Delivery) -> None:
        """Send a call's waveform: what is known of it at once, the rest as it is read, for as long as it is wanted."""
        with self._lock:
            wave = self._waves.setdefault(delivery.call.key, _Wave(delivery))
            self._waves.move_to_end(delivery.call.key)
            if len(self._waves) > _MAX_KEPT:
                self._waves.popitem(last=False)
            # A reader that is under way goes on for this delivery.
            wave.delivery = delivery
            if wave.facts:
                delivery.send_facts(**wave.facts)
            for content, data in wave.blocks:
                delivery.send_block(content, data)
            if wave.is_reading or wave.is_whole:
                delivery.send_facts(wave="" if wave.is_whole else _READING)
                return
            wave.is_reading = True
        try:
            self._read(wave)
        finally:
            with self._lock:
                wave.is_reading = False

    def _read(self, wave: _Wave) -> None:
        self._tell(wave, wave=_READING)
        threading.Event().wait(_PAUSE_S)
        try:
            with RangeReader(timeout_s=TIMEOUT_S) as reader:
                self._decode(wave, FarFile(lambda at, count: self._fetch(wave, reader, at, count)))
        except Stopped:
            with self._lock:
                wave.blocks.clear()
        except (KatavenError, OSError) as error:
            with self._lock:
                wave.blocks.clear()
            reason = in_words(error).rstrip(".")
            self._tell(wave, wave=f"No waveform: {reason[:1].lower()}{reason[1:]}.")

    def _decode(self, wave: _Wave, file: FarFile) -> None:
        with far_sound(file) as sound:
            with self._lock:
                wave.facts = facts_of(sound)
                wave.blocks.clear()
            self._tell(wave, **wave.facts)
            for content, data in peak_messages(sound, block_s=_BLOCK_S):
                with self._lock:
                    wave.blocks.append((content, data))
                    wave.delivery.send_block(content, data)
        with self._lock:
            wave.is_whole = True
        self._tell(wave, wave="")

    def _fetch(self, wave: _Wave, reader: RangeReader, first_byte: int, count: int) -> Part:
        if not wave.delivery.is_wanted(wave.delivery):
            raise Stopped
        url = self._url_of(wave.delivery.call.key)
        try:
            return reader.read(url, first_byte, count, max_whole_bytes=MAX_HELD_BYTES)
        except DownloadFailed:
            fresh = self._url_of(wave.delivery.call.key)
            if fresh == url:
                raise
            return reader.read(fresh, first_byte, count, max_whole_bytes=MAX_HELD_BYTES)

    def _tell(self, wave: _Wave, /, **facts: object) -> None:
        if wave.delivery.is_wanted(wave.delivery):
            wave.delivery.send_facts(**facts)
