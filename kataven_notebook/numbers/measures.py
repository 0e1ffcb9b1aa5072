"""One recording in, everything that is measured on it out: speech, and the quality of each channel.

Roles play no part here: which channel is the agent is settled over a whole frame afterwards (`roles`),
and only then do measures become rows of numbers (`rows`). The sound is not needed again for it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias
from weakref import WeakKeyDictionary

from kataven_notebook.numbers.quality import ChannelQuality, QualityMeter
from kataven_notebook.speech.detect import check_recording, find_speech
from kataven_notebook.speech.parties import ONE_SOUND
from kataven_notebook.speech.voice_windows import VoiceWindows, describe_voices

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.detect import SpeechOption
    from kataven_notebook.speech.intervals import Intervals
    from kataven_notebook.speech.voice import Voice
    from kataven_notebook.speech.voice_windows import VoiceFunction

MonoOption: TypeAlias = Literal["withhold", "estimate"]

MIN_FINITE_RATIO = 0.9
"""Of a channel's samples. What is no number is heard as silence: with more of it, talk times would be wrong."""
MIN_RATE_HZ = 1_000
"""Below, not even the lowest resonance of speech is left: that nobody is heard says nothing."""
VERSION = 1
"""Of all that is measured on a recording and made of it: raised where a number changes, so that none is kept."""
# By method: a function may find something else at each call, so it is called each time.
_CACHE: WeakKeyDictionary[Recording, dict[str, CallMeasures]] = WeakKeyDictionary()
_CACHE_LOCK = threading.Lock()
_FUNCTION = "function"


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
    voice_windows : VoiceWindows or None
        What the voices of a recording of one sound are like, where that was asked for.
    checksum : str
        The beginning of the SHA-256 of the encoded sound, hexadecimal; empty where nobody has said it.
    """

    duration_s: float
    sample_rate: int
    channels: int
    speech: tuple[Intervals, ...]
    speech_method: str
    quality: tuple[ChannelQuality, ...]
    voices: tuple[Voice | None, ...] = ()
    doubts: tuple[str | None, ...] = ()
    voice_windows: VoiceWindows | None = None
    # Kept by the name of the sound's file, and so not among what is kept: see `frame/measuring`.
    checksum: str = field(default="", metadata={"is_kept": False})

    @property
    def unheard(self) -> tuple[int, ...]:
        """The channels of which too much is no number (NaN, infinite), or too little left, to say who spoke when."""
        if self.sample_rate < MIN_RATE_HZ:
            return tuple(range(self.channels))
        return tuple(i for i, one in enumerate(self.quality) if one.finite_ratio < MIN_FINITE_RATIO)

    @property
    def why_unheard(self) -> str | None:
        """Why it is not known when anybody speaks, or None where it is."""
        if self.sample_rate < MIN_RATE_HZ:
            return f"the sample rate of {self.sample_rate} Hz leaves nothing of speech"
        if self.unheard:
            listed = " and ".join(str(channel) for channel in self.unheard)
            return f"more than a tenth of the samples of channel {listed} are not finite"
        doubts = enumerate(self.doubts)
        return (
            "; ".join(f"on channel {channel} {why}" for channel, why in doubts if why not in (None, ONE_SOUND)) or None
        )

    @property
    def one_sound(self) -> bool:
        """Whether there is one channel only, or several hold the same sound."""
        return self.channels == 1 or ONE_SOUND in self.doubts

    @property
    def parties(self) -> tuple[int, int] | None:
        """The two channels with one party each, or None where the parties can't be told apart.

        They are the channels of a stereo recording, or the only two of more that hold any speech.
        """
        if self.unheard or self.one_sound:
            return None
        if self.channels == 2:
            return (0, 1)
        spoken = [index for index, intervals in enumerate(self.speech) if len(intervals)]
        if self.channels > 2 and len(spoken) == 2:
            return (spoken[0], spoken[1])
        return None


def measure(
    recording: Recording,
    *,
    speech: SpeechOption = "auto",
    mono: MonoOption = "withhold",
    voices: VoiceFunction | None = None,
) -> CallMeasures:
    """Return what is measured on `recording`, in blocks, so that an hour needs little memory.

    The result is kept as long as the recording lives: asking again costs nothing. Where a function of the caller's has
    a part in it nothing is kept, since it may find something else the next time.

    Parameters
    ----------
    recording
        One call, of any number of channels.
    speech
        As in `speech_intervals`: "auto", "silero", "energy" or a callable.
    mono
        "estimate" adds `voice_windows` to the measures of a recording of one channel, for
        `mono.estimate_parties`; the sound is read once more for them. "withhold", the default, doesn't.
    voices
        What describes the voices then, as in `describe_voices`: None for cepstra and pitch.

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
    with _CACHE_LOCK:
        known = _CACHE.get(recording, {}).get(speech) if isinstance(speech, str) else None
    # Outside the lock, so that one long call holds up no other.
    found = known or _measure(recording, speech)
    if lacks_voices(found, mono) and voices is None:
        found = replace(found, voice_windows=describe_voices(recording, found.speech[0]))
    with _CACHE_LOCK:
        _CACHE.setdefault(recording, {})[speech if isinstance(speech, str) else _FUNCTION] = found
    if mono == "withhold":
        return found if found.voice_windows is None else replace(found, voice_windows=None)
    if voices is not None and _may_be_estimated(found):
        return replace(found, voice_windows=describe_voices(recording, found.speech[0], voices=voices))
    return found


def lacks_voices(found: CallMeasures, mono: MonoOption) -> bool:
    """Whether measures were made without the voices that `mono` asks for."""
    return mono == "estimate" and found.voice_windows is None and _may_be_estimated(found)


def _may_be_estimated(found: CallMeasures) -> bool:
    return found.one_sound and not found.unheard


def measured(recording: Recording, speech_method: str) -> CallMeasures | None:
    """Return what was last measured on `recording` in this process with that method, or None; measures nothing."""
    with _CACHE_LOCK:
        found = list(_CACHE.get(recording, {}).values())
    return next((each for each in found if each.speech_method == speech_method), None)


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
