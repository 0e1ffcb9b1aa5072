"""What a browser can play as it is; everything else is decoded here and sent as 16-bit WAV."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import soundfile as sf

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

# Tried in Chromium with an <audio> element, not asked by canPlayType, which is wrong for mu-law.
_MIME_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "webm": "audio/webm",
    "m4a": "audio/mp4",
}
_WAV_CODECS = frozenset({"pcm_u8", "pcm_16", "pcm_24", "pcm_32", "float", "ulaw", "alaw"})


class PlayableSound(NamedTuple):
    """Bytes for an <audio> element.

    Attributes
    ----------
    data
        A whole sound file.
    mime_type
        What to call it, such as "audio/wav".
    extension
        For the name of a file, without the dot.
    """

    data: bytes
    mime_type: str
    extension: str


def is_native(recording: Recording) -> bool:
    """Whether browsers play this format and codec themselves.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> is_native(Recording.from_samples([0.0, 0.1], 8000))
    True
    """
    if recording.format == "wav":
        return recording.codec in _WAV_CODECS
    return recording.format in _MIME_TYPES


def playable(recording: Recording, *, decode: bool = False) -> PlayableSound:
    """Return sound that an <audio> element plays.

    Parameters
    ----------
    recording
        Any format that can be decoded.
    decode
        Decode even what browsers should play: for a page that found out that it can't.

    Raises
    ------
    DecodeError
        It has to be decoded and can't be.
    OSError
        Its file is gone.
    """
    if is_native(recording) and not decode:
        return PlayableSound(recording.encoded(), _MIME_TYPES[recording.format], recording.format)
    file = io.BytesIO()
    with sf.SoundFile(file, "w", recording.sample_rate, recording.channels, subtype="PCM_16", format="WAV") as wav:
        for block in recording.blocks():
            wav.write(np.nan_to_num(block, nan=0.0))
    return PlayableSound(file.getvalue(), "audio/wav", "wav")
