"""One recording in, everything that is measured on it out: speech, and the quality of each channel.

Roles play no part here: which channel is the agent is settled over a whole frame afterwards (`roles`),
and only then do measures become rows of numbers (`rows`). The sound is not needed again for it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from kataven_notebook.numbers.quality import ChannelQuality, QualityMeter
from kataven_notebook.speech.detect import check_recording, find_speech
from kataven_notebook.speech.parties import ONE_SOUND

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.detect import SpeechOption
    from kataven_notebook.speech.intervals import Intervals
    from kataven_notebook.speech.voice import Voice

MIN_FINITE_RATIO = 0.9
"""Of a channel's samples. What is no number is heard as silence: with more of it, talk times would be wrong."""
_CACHE: WeakKeyDictionary[Recording, dict[Hashable, CallMeasures]] = WeakKeyDictionary()
_CACHE_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class CallMeasures:
    """What was measured on one recording; a few kilobytes, without sound, to be pickled at will.

    Attributes
    ----------
    duration_s : float
        Length in seconds.
    sample_rate : int
        Frames a second, Hz.
    channels : int
        How many channels.
    speech : tuple of numpy.ndarray
        Per channel when there is speech, `(n, 2)` float64, seconds.
    speech_method : str
        What found the speech.
    quality : tuple of ChannelQuality
        Per channel.
    voices : tuple of Voice or None
        Per channel what its voice is like; empty where the caller's function found the speech.
    doubts : tuple of (str or None)
        Per channel what speaks against its speech intervals; as in `Speech`.
    """

    duration_s: float
    sample_rate: int
    channels: int
    speech: tuple[Intervals, ...]
    speech_method: str
    quality: tuple[ChannelQuality, ...]
    voices: tuple[Voice | None, ...] = ()
    doubts: tuple[str | None, ...] = ()

    @property
    def unheard(self) -> tuple[int, ...]:
        """The channels of which too much is no number (NaN, infinite) to say who spoke when."""
        return tuple(i for i, one in enumerate(self.quality) if one.finite_ratio < MIN_FINITE_RATIO)

    @property
    def parties(self) -> tuple[int, int] | None:
        """The two channels with one party each, or None where the parties can't be told apart.

        They are the channels of a stereo recording, or the only two of more that hold any speech.
        """
        if self.unheard or ONE_SOUND in self.doubts:
            return None
        if self.channels == 2:
            return (0, 1)
        spoken = [index for index, intervals in enumerate(self.speech) if len(intervals)]
        if self.channels > 2 and len(spoken) == 2:
            return (spoken[0], spoken[1])
        return None


def measure(recording: Recording, *, speech: SpeechOption = "auto") -> CallMeasures:
    """Return what is measured on `recording`, in blocks, so that an hour needs little memory.

    The result is kept as long as the recording lives: asking again costs nothing.

    Parameters
    ----------
    recording
        One call, of any number of channels.
    speech
        As in `speech_intervals`: "auto", "silero", "energy" or a callable.

    Raises
    ------
    ConfigurationError, MissingExtra, ValueError, DecodeError, OSError
        As for `speech_intervals`.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> measures = measure(Recording.from_samples([[0.0, 0.0]] * 8_000, 8_000))
    >>> measures.duration_s, measures.parties, measures.quality[0].silent
    (1.0, (0, 1), True)
    """
    # A dataclass with a `__call__` has no hash: what it finds can't be looked up again.
    if getattr(speech, "__hash__", None) is None:
        return _measure(recording, speech)
    with _CACHE_LOCK:
        known = _CACHE.get(recording, {}).get(speech)
    if known is not None:
        return known
    # Outside the lock, so that one long call holds up no other; measured twice, the first one counts.
    found = _measure(recording, speech)
    with _CACHE_LOCK:
        return _CACHE.setdefault(recording, {}).setdefault(speech, found)


def measured(recording: Recording) -> CallMeasures | None:
    """Return what was last measured on `recording` in this process, or None; measures nothing."""
    with _CACHE_LOCK:
        return next(reversed(_CACHE.get(recording, {}).values()), None)


def _measure(recording: Recording, speech: SpeechOption) -> CallMeasures:
    check_recording(recording, "measure")
    meter = QualityMeter(recording.sample_rate, recording.channels)
    found = find_speech(recording, speech, on_block=meter.add)
    quality = meter.result(found.intervals)
    return CallMeasures(
        # What was decoded, and not what the header claims: lossy containers round it.
        duration_s=found.duration_s,
        sample_rate=recording.sample_rate,
        channels=recording.channels,
        speech=found.intervals,
        speech_method=found.method,
        quality=quality,
        voices=found.voices,
        doubts=found.doubts,
    )
