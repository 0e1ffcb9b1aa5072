"""What the voices in one channel sound like: a vector for each quarter second of speech."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from kataven_notebook.machine.cores import one_core
from kataven_notebook.speech.level import decibels
from kataven_notebook.speech.pitch import STEP, VOICED, pitch
from kataven_notebook.speech.spectrum import (
    CONTEXT,
    FRAME_S,
    RATE,
    WINDOW,
    band_power,
    packed,
    parts,
    power_spectra,
    windows_of,
)
from kataven_notebook.speech.timbre import cepstra
from kataven_notebook.speech.tracks import BLOCK_S

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.intervals import Intervals

    Floats = npt.NDArray[np.float32]
    Halves = npt.NDArray[np.float16]

VoiceFunction: TypeAlias = Callable[[npt.NDArray[np.float32]], npt.ArrayLike]

CELL_S = 0.25
"""Speech is cut into cells of about this length, and each is given to one party."""
REACH_CELLS = 2
"""Cells on either side that are in a cell's window, as far as no pause lies between: 1.25 s in all."""
_CELL_OF_FUNCTION_S = 0.5  # models take 10 ms and more a window
_WINDOW_OF_FUNCTION_S = 1.5
_SHORTEST_WINDOW_S = 0.5
_FRAMES_PER_PITCH = STEP // round(FRAME_S * RATE)
_AUDIBLE_DB = 25.0  # below the loudest of the stretch: what is softer is pauses, and noise in them
_LEAST_VARIANCE = 1e-3
_PITCH_PRIOR = 2.0  # values; a window without voiced frames has the pitch of the call


@dataclass(frozen=True, slots=True, eq=False)
class VoiceWindows:
    """The speech of one channel in cells, and what the voice around each sounds like.

    Attributes
    ----------
    stretch : numpy.ndarray
        (n,) int32: which speech interval the cell lies in.
    start_s, end_s : numpy.ndarray
        (n,) float64, seconds.
    weight : numpy.ndarray
        (n,) float32: share of the window that has sound to go by, 0 to 1.
    vectors : numpy.ndarray
        (n, d) float16.
    reach : int
        How many cells on either side share sound with a cell.
    by_function : bool
        Whether a caller's function made the vectors.
    """

    stretch: npt.NDArray[np.int32]
    start_s: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]
    weight: Floats
    vectors: Halves
    reach: int
    by_function: bool = False


def describe_voices(
    recording: Recording, intervals: Intervals, *, channel: int = 0, voices: VoiceFunction | None = None
) -> VoiceWindows:
    """Return what the voices in the speech of one channel sound like.

    A vector holds the mean and the logarithmic spread of 12 cepstra over 1.25 s of speech, and the mean pitch, in
    octaves; some 15 kB a minute of speech. The sound is read once, in blocks.

    Parameters
    ----------
    recording
        Any sound.
    intervals
        Its speech, `(n, 2)`, seconds, sorted and disjoint.
    channel
        Which channel.
    voices
        A function of `(frames,)` float32 samples at 16 kHz that returns a vector, such as a speaker embedding. It
        is called for 1.5 s around each half second of speech, and its vectors are scaled to length 1. All of the
        channel is in memory then.

    Raises
    ------
    ValueError
        The function returned something other than a vector of finite numbers, always of the same length.
    DecodeError
        The sound can't be decoded.
    OSError
        The file is gone or can't be read.

    Examples
    --------
    >>> import numpy as np
    >>> from kataven_notebook.sound.recording import Recording
    >>> hum = 0.1 * np.sin(2 * np.pi * 120 * np.arange(16_000) / 8_000)
    >>> found = describe_voices(Recording.from_samples(hum, 8_000), np.array([[0.5, 1.5]]))
    >>> found.vectors.shape, (2 ** found.vectors[0, -1]).round(-1)
    ((4, 25), np.float16(120.0))
    """
    cells = _cells(intervals, CELL_S if voices is None else _CELL_OF_FUNCTION_S)
    if voices is not None:
        return _by_function(recording, channel, cells, intervals, voices)
    with one_core():
        frames = _Frames.read(recording, channel)
        return _summed(frames, cells)


def _cells(intervals: Intervals, length_s: float) -> tuple[npt.NDArray[np.int32], Intervals]:
    """Cut each interval into equal cells; return which interval each is of, and their edges."""
    stretches, edges = [], []
    for index, (start, end) in enumerate(intervals):
        cuts = np.linspace(start, end, max(1, round((end - start) / length_s)) + 1)
        stretches += [index] * (len(cuts) - 1)
        edges.append(np.column_stack([cuts[:-1], cuts[1:]]))
    return np.array(stretches, np.int32), np.concatenate(edges) if edges else np.empty((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """One channel in frames of 8 ms."""

    cepstra: Floats
    level_db: Floats
    pitch: Floats
    voiced: npt.NDArray[np.bool_]

    @classmethod
    def read(cls, recording: Recording, channel: int) -> _Frames:
        """Return the frames of a channel, read in parts."""
        found = []
        for part in parts(recording.blocks(BLOCK_S), recording.sample_rate, recording.channels):
            sound = part[channel]
            bands = band_power(power_spectra(windows_of(sound)), recording.sample_rate)
            height, likeness = pitch(sound[CONTEXT:])
            found.append((cepstra(packed(bands)), bands.sum(axis=1), height, likeness > VOICED))
        if not found:
            return cls(np.empty((0, 12), np.float32), *(np.empty(0, np.float32),) * 2, np.empty(0, bool))
        timbre, power, height, voiced = (np.concatenate(one) for one in zip(*found, strict=True))
        height, voiced = (np.repeat(one, _FRAMES_PER_PITCH) for one in (height, voiced))
        return cls(timbre, decibels(power), height, voiced)


def _summed(frames: _Frames, cells: tuple[npt.NDArray[np.int32], Intervals]) -> VoiceWindows:
    stretch, edges = cells
    at = np.clip(np.rint(edges / FRAME_S).astype(int), 0, len(frames.level_db))
    heard = _heard(frames.level_db, stretch, at)
    spoken = frames.cepstra * heard[:, None]
    voiced = heard & frames.voiced
    columns = [heard[:, None], spoken, spoken * frames.cepstra, voiced[:, None], (voiced * frames.pitch)[:, None]]
    sums = np.concatenate(columns, axis=1, dtype=np.float64)
    per_cell = np.add.reduceat(np.pad(sums, ((0, 1), (0, 0))), at.ravel())[::2] if len(at) else sums[:0]
    per_cell[at[:, 0] == at[:, 1]] = 0
    window = _over_windows(per_cell, stretch)
    size = frames.cepstra.shape[1]
    count, mean, square, voiced_count, height = np.split(window, [1, 1 + size, 1 + 2 * size, 2 + 2 * size], axis=1)
    count_or_one = np.maximum(count, 1)
    mean = mean / count_or_one
    spread = 0.5 * np.log(np.maximum(square / count_or_one - mean**2, _LEAST_VARIANCE))
    usual = per_cell[:, -1].sum() / max(per_cell[:, -2].sum(), 1)
    height = (height + _PITCH_PRIOR * usual) / (voiced_count + _PITCH_PRIOR)
    full = (2 * REACH_CELLS + 1) * CELL_S / FRAME_S
    return VoiceWindows(
        stretch=stretch,
        start_s=edges[:, 0],
        end_s=edges[:, 1],
        weight=np.minimum(count[:, 0] / full, 1).astype(np.float32),
        vectors=np.concatenate([mean, spread, height], axis=1).astype(np.float16),
        reach=REACH_CELLS,
    )


def _heard(level_db: Floats, stretch: npt.NDArray[np.int32], at: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
    """Return which frames of the cells are near the level of their stretch."""
    heard = np.zeros(len(level_db), bool)
    firsts = np.flatnonzero(np.diff(stretch, prepend=-1))
    for first, last in itertools.pairwise([*firsts, len(stretch)]):
        start, end = at[first, 0], at[last - 1, 1]
        if end > start:
            levels = level_db[start:end]
            heard[start:end] = levels > np.percentile(levels, 95) - _AUDIBLE_DB
    return heard


def _over_windows(per_cell: npt.NDArray[np.float64], stretch: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Sum cells over their windows, which end where a stretch does."""
    index = np.arange(len(stretch))
    first = np.maximum(index - REACH_CELLS, np.searchsorted(stretch, stretch, "left"))
    last = np.minimum(index + REACH_CELLS + 1, np.searchsorted(stretch, stretch, "right"))
    running = np.concatenate([np.zeros((1, per_cell.shape[1])), np.cumsum(per_cell, axis=0)])
    summed: npt.NDArray[np.float64] = running[last] - running[first]
    return summed


def _by_function(
    recording: Recording,
    channel: int,
    cells: tuple[npt.NDArray[np.int32], Intervals],
    intervals: Intervals,
    voices: VoiceFunction,
) -> VoiceWindows:
    sound = _at_model_rate(recording, channel)
    stretch, edges = cells
    centres = edges.mean(axis=1)
    starts = np.maximum(centres - _WINDOW_OF_FUNCTION_S / 2, intervals[stretch, 0])
    ends = np.minimum(centres + _WINDOW_OF_FUNCTION_S / 2, intervals[stretch, 1])
    wider = np.maximum(_SHORTEST_WINDOW_S - (ends - starts), 0) / 2
    vectors: list[Floats] = []
    for start, end in zip(starts - wider, ends + wider, strict=True):
        window = sound[max(round(start * RATE), 0) : max(round(end * RATE), 1)]
        vectors.append(_vector(voices(np.ascontiguousarray(window)), vectors))
    return VoiceWindows(
        stretch=stretch,
        start_s=edges[:, 0],
        end_s=edges[:, 1],
        weight=np.minimum((ends - starts) / _WINDOW_OF_FUNCTION_S, 1).astype(np.float32),
        vectors=np.array(vectors, np.float16) if vectors else np.empty((0, 0), np.float16),
        reach=1,
        by_function=True,
    )


def _at_model_rate(recording: Recording, channel: int) -> Floats:
    pieces = [
        part[channel, CONTEXT:] for part in parts(recording.blocks(BLOCK_S), recording.sample_rate, recording.channels)
    ]
    return np.concatenate(pieces) if pieces else np.zeros(WINDOW, np.float32)


def _vector(answer: npt.ArrayLike, before: list[Floats]) -> Floats:
    """Make a vector of length 1 of what a caller's function returned, or say what is wrong with it."""
    asked = "the function given as `voices` returned"
    wanted = "return a vector of finite numbers, of the same length each time"
    try:
        vector = np.asarray(answer, dtype=np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"{asked} {type(answer).__name__}, which is no array of numbers; {wanted}") from None
    if vector.ndim != 1 or not len(vector):
        raise ValueError(f"{asked} an array of shape {vector.shape}; {wanted}")
    if before and len(before[0]) != len(vector):
        raise ValueError(f"{asked} {len(vector)} numbers after {len(before[0])} before; {wanted}")
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length):
        raise ValueError(f"{asked} numbers that are not finite; {wanted}")
    scaled: Floats = vector / max(length, 1e-12)
    return scaled
