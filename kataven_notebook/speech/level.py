"""Levels of sound in decibels, and where they alone say that somebody speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.spectrum import FRAME_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Mask = NDArray[np.bool_]
    Frames = NDArray[np.intp]  # (n, 2), first frame and the one after the last

MIN_PAUSE_S = 0.25
"""Pauses below this belong to the speech around them: stop consonants and catching breath."""
MIN_SPEECH_S = 0.1
"""What is shorter is dropped."""

_SILENCE = 1e-14  # power, -140 dB: just below one step of 24-bit sound


def decibels(power: Floats) -> Floats:
    """Return 10 log10, with digital silence at -140 dB."""
    level: Floats = 10 * np.log10(np.maximum(power, np.float32(_SILENCE)))
    return level


def smoothed(values: Floats, width: int) -> Floats:
    """Return the centred moving mean over `width` (odd) rows, over fewer at the ends."""
    count = len(values)
    # Cumulated in float64: an hour of loud sound must not swallow a quiet frame behind it.
    total = np.zeros((count + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=total[1:])
    at = np.arange(count)
    low, high = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, count)
    size = (high - low).reshape(-1, *[1] * (values.ndim - 1))
    mean: Floats = np.maximum((total[high] - total[low]) / size, 0).astype(np.float32)
    return mean


def switched(values: Floats, on: float, off: float) -> Mask:
    """Return where `values` have reached `on` and not fallen below `off` since."""
    known = (values >= on) | (values < off)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return (last >= 0) & (values[np.maximum(last, 0)] >= on)


def runs(mask: Mask) -> Frames:
    """Return the first frame of each run of True, and the one after its last."""
    steps = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.column_stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)])


def marked(pairs: NDArray[np.integer], count: int) -> Mask:
    """Return which of `count` frames lie in one of (n, 2) pairs, first frame and the one after the last."""
    mask = np.zeros(count, bool)
    for start, end in np.maximum(pairs, 0):
        mask[start:end] = True
    return mask


def regions(mask: Mask) -> Frames:
    """Return the runs of `mask`, joined over short pauses, without those too short for speech."""
    found = joined(runs(mask), round(MIN_PAUSE_S / FRAME_S))
    return found[found[:, 1] - found[:, 0] >= round(MIN_SPEECH_S / FRAME_S)]


def loud(level_db: Floats) -> Mask:
    """Return where the level alone says speech, by thresholds between the quiet and the loud of a channel."""
    if not len(level_db):
        return np.zeros(0, bool)
    floor, high = np.percentile(level_db, [10, 95])
    # Who speaks for less than a twentieth of the call is not in the 95th percentile.
    high = max(high, level_db.max() - 20)
    # Nothing is loud enough to be heard, or nothing stands out from the rest.
    if high < -60 or high - floor < 4:
        return np.zeros(len(level_db), bool)
    # 20 dB below the loud, or 4 dB above the floor where that is higher; always 4 dB below the loud.
    on = min(max(floor + 4, high - 20), high - 4)
    # Once on, 3 dB less keep it on, so that a level near the threshold doesn't chop a word up.
    return switched(level_db, on, on - 3)


def joined(pairs: Frames, gap: int) -> Frames:
    """Return `pairs`, sorted and disjoint, with those joined that are less than `gap` frames apart."""
    if len(pairs) < 2:
        return pairs
    apart = np.flatnonzero(pairs[1:, 0] - pairs[:-1, 1] >= gap)
    return np.column_stack(
        [
            pairs[np.concatenate([[0], apart + 1]), 0],
            pairs[np.concatenate([apart, [len(pairs) - 1]]), 1],
        ]
    )
