"""What one channel's voice is like over a whole call, in a hundred bytes, so that the voices of many calls compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.level import decibels, marked
from kataven_notebook.speech.spectrum import FRAME_S
from kataven_notebook.speech.timbre import cepstra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kataven_notebook.speech.intervals import Intervals

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]

BLOCK_FRAMES = 125
"""A block is 1 s of speech: several syllables, so that blocks differ less than sounds do."""
_MAX_BLOCKS = 120
_MIN_BLOCKS = 3
_LOUD_DB = 20.0  # below the level that 5 in 100 frames exceed; what is fainter may be the room's
_AFTER_FRAMES = (4, 13)  # 32 to 104 ms after speech: first it fades
_STILL_DBFS = -90.0
_LEVEL_SCALE_DB = 3.0  # so that a level weighs about as much as one cepstral coefficient


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """The voice of one channel.

    Attributes
    ----------
    mean : numpy.ndarray
        (13,) float32: mean cepstra of the loud frames of speech, and their mean level in units of 3 dB.
    spread : numpy.ndarray
        (13,) float32: standard deviation of the same over blocks of 1 s. What is said makes them differ,
        whoever speaks, so it tells how far two calls of one voice are apart.
    blocks : int
        How many blocks, of 1 s each, these are taken from; 120 at most.
    still_after_speech : float
        Share in [0, 1] of the tenth of a second after each stretch of speech without any noise; NaN where there
        is none. Synthetic speech ends in digital silence; where a line suppresses silence, the room is heard for
        a while after each word.
    """

    mean: Floats
    spread: Floats
    blocks: int
    still_after_speech: float = float("nan")


def voice_of(bands: Halves, total: Floats, intervals: Intervals) -> Voice | None:
    """Return the voice of one channel, or None where it holds less than 3 s of loud speech.

    Parameters
    ----------
    bands
        (frames, bands) packed band power, a frame each 8 ms.
    total
        (frames,) mean square over all bands.
    intervals
        When there is speech, (n, 2) seconds.
    """
    spoken = marked(np.rint(intervals / FRAME_S).astype(int), len(total))
    frames = np.flatnonzero(spoken)
    if len(frames) < _MIN_BLOCKS * BLOCK_FRAMES:
        return None
    level_db = decibels(total[frames])
    loud = level_db > np.percentile(level_db, 95) - _LOUD_DB
    frames, level_db = frames[loud], level_db[loud]
    count = len(frames) // BLOCK_FRAMES
    if count < _MIN_BLOCKS:
        return None
    # Blocks from all over the call; two minutes tell a voice as well as an hour does.
    chosen = np.linspace(0, count - 1, min(count, _MAX_BLOCKS)).round().astype(int)
    used = (chosen[:, None] * BLOCK_FRAMES + np.arange(BLOCK_FRAMES)).ravel()
    looks = np.column_stack([cepstra(bands[frames[used]]), level_db[used] / _LEVEL_SCALE_DB])
    means = looks.reshape(len(chosen), BLOCK_FRAMES, -1).mean(axis=1)
    return Voice(means.mean(axis=0), means.std(axis=0, ddof=1), len(chosen), _still_after(total, spoken, intervals))


def _still_after(total: Floats, spoken: NDArray[np.bool_], intervals: Intervals) -> float:
    ends = np.rint(intervals[:, 1] / FRAME_S).astype(int)
    after = (ends[:, None] + np.arange(*_AFTER_FRAMES)).ravel()
    after = after[after < len(total)]
    after = after[~spoken[after]]
    return float(np.mean(decibels(total[after]) < _STILL_DBFS)) if len(after) else float("nan")
