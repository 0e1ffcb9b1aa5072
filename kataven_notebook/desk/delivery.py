"""One delivery of a call: its sound and its peaks as numbered messages, which a page joins only with their own kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kataven_notebook.clock import duration_text
from kataven_notebook.desk.peaks import frames_per_bin, peak_blocks
from kataven_notebook.desk.playable import is_native, playable
from kataven_notebook.errors import DecodeError, SessionError
from kataven_notebook.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kataven_notebook.sound.recording import Recording

# Small enough that another request of the page is answered soon: between two parts.
_PART_BYTES = 4 << 20
_PEAKS_BLOCK_S = 60.0


class Send(Protocol):
    """Sends one message to the page."""

    def __call__(self, content: dict[str, object], buffers: list[memoryview] | None = None) -> None:
        """Send `content`; `buffers` travel as binary beside it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the feed knows it: its key in the list, its session, and a name for its file in place of that."""

    key: int
    session_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Sends one call once.

    Deliveries of a call may overlap, as several views and several clicks ask for it. The page joins
    the parts of the newest one alone, in their order, so that no sound is made of two deliveries.

    Parameters
    ----------
    call, number
        Which call; which delivery of this player: a later one has a higher number.
    send
        Sends a message to the page; callable from any thread.
    is_wanted
        Returns whether it goes on: false when a newer delivery has begun or the listener has moved on.
    """

    call: Call
    number: int
    send: Send
    is_wanted: Callable[[Delivery], bool]

    def say(self, text: str) -> None:
        """Tell the page in one sentence why no sound comes."""
        if self.is_wanted(self):
            self.send({"type": "problem", "key": self.call.key, "text": text, "is_silent": True})

    def send_facts(self, **facts: object) -> None:
        """Send what the page shows of the call, by the names that its data has there."""
        self.send({"type": "facts", "key": self.call.key, "facts": facts})

    def send_sound(self, recording: Recording, *, decode: bool = False) -> None:
        """Send the sound in parts, until it is whole or not wanted.

        Parameters
        ----------
        recording
            The sound.
        decode
            Send 16-bit WAV, whatever browsers play.

        Raises
        ------
        DecodeError
            It has to be decoded and can't be, or its file is not what it was.
        OSError
            Its file is gone.
        """
        self.send_facts(**facts_of(recording))
        sound = playable(recording, decode=decode)
        if is_native(recording) and not decode and len(sound.data) != recording.size_bytes:
            raise DecodeError("the file has changed since the frame was made: make the frame again")
        data = memoryview(sound.data)
        content = {
            "type": "sound",
            "key": self.call.key,
            "delivery": self.number,
            "parts": max(1, -(-len(data) // _PART_BYTES)),
            "total_bytes": len(data),
            "decoded": decode,
            "file": f"{_file_name(self.call)}.{sound.extension}",
            "mime": sound.mime_type,
        }
        for part in range(max(1, -(-len(data) // _PART_BYTES))):
            if not self.is_wanted(self):
                return
            self.send({**content, "part": part}, [data[part * _PART_BYTES : (part + 1) * _PART_BYTES]])

    def send_peaks(self, recording: Recording) -> None:
        """Send the peaks in blocks; where the sound breaks off, the page is told.

        Raises
        ------
        OSError
            The sound's file is gone.
        """
        self.send_facts(**facts_of(recording))
        try:
            for content, data in peak_messages(recording):
                if not self.is_wanted(self):
                    return
                self.send_block(content, data)
        except DecodeError as error:
            text = f"The waveform breaks off: {in_words(error)}"
            self.send({"type": "problem", "key": self.call.key, "text": text})

    def send_block(self, content: dict[str, Any], data: bytes) -> None:
        """Send one block of peaks."""
        self.send({"type": "peaks", "key": self.call.key, "delivery": self.number, **content}, [memoryview(data)])


def peak_messages(recording: Recording, *, block_s: float = _PEAKS_BLOCK_S) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield the peaks of a recording as the page takes them: a description and a byte a bin and channel.

    Raises
    ------
    RecordingCorrupt
        The sound breaks off; the blocks before it were good.
    OSError
        The sound's file is gone.
    """
    size = frames_per_bin(recording.sample_rate)
    content = {
        "channels": recording.channels,
        "bins_per_s": recording.sample_rate / size,
        "total_bins": -(-recording.frames // size),
    }
    for first_bin, peaks in peak_blocks(recording, block_s=block_s):
        loudest = float((peaks.max() / 255) ** 2)
        yield {**content, "first_bin": first_bin, "loudest": loudest}, peaks.tobytes()


def facts_of(recording: Recording) -> dict[str, object]:
    """Return what the page shows of a recording beside its title."""
    channels = {1: "mono", 2: "stereo"}.get(recording.channels, f"{recording.channels} channels")
    rate = f"{recording.sample_rate / 1000:g} kHz"
    shown = [duration_text(recording.duration_s), recording.format.upper(), rate, channels]
    return {
        "duration_s": recording.duration_s,
        "channels": recording.channels,
        "facts": " · ".join(shown),
    }


def in_words(error: Exception) -> str:
    """Return an error as a sentence for the page, which shows which session it is."""
    text = error.message if isinstance(error, SessionError) else str(error)
    return redact(text[:1].upper() + text[1:])


def _file_name(call: Call) -> str:
    return re.sub(r"[^\w-]+", "_", call.name or call.session_id)[:100].strip("_") or "call"
