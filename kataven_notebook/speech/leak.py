"""The other party's leak: echo and crosstalk, found by how the levels of two channels go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.level import decibels, smoothed
from kataven_notebook.speech.spectrum import FRAME_S, unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]
    Mask = NDArray[np.bool_]

# Lag, levels and correlation are those of a trial that found the leak in 40 of 40 leaking channels, with 2 false
# ones in 240.
_MAX_LAG_S, _LAG_STEP = 1.0, 2  # frames a step; an echo that comes later than this is not found
_LOUD_DB = 18.0  # within this of the other's 95th percentile it certainly speaks
# A frame is evidence where this channel is so much quieter than the other, so far above its own floor, and
# not nearly silent itself.
_QUIETER_DB, _AUDIBLE_DB, _QUIETEST_DBFS = 8.0, 5.0, -85.0
_MIN_CORRELATION, _MIN_EVIDENCE_S = 0.75, 1.5
_CLEARLY_QUIETER_DB, _MAX_SPREAD_DB = 12.0, 5.0
# What is less than so much above the leak is taken for it. The gate follows the leak that was found: a fixed one
# of 15 dB lost half of what a quiet caller says while both speak.
_GATE_DB = 7.0
_MASK_DB = 6.0  # the same, in each band, where edges are looked for
_GATE_SMOOTHING = 13  # frames, 100 ms


@dataclass(frozen=True, slots=True, eq=False)
class Leak:
    """What one channel lets through of another: delay, in frames, and level of the copy.

    `bands`, (frames, bands) packed, and `total`, (frames,), are the power of the source.
    """

    bands: Halves
    total: Floats
    lag: int
    level_db: float

    def power(self, low: int, high: int) -> Floats:
        """Return the (frames, bands) power that the leak may have from frame `low` to `high`, with a margin."""
        gain = np.float32(10 ** ((self.level_db + _MASK_DB) / 10))
        first = max(low - self.lag, 0)
        heard = unpacked(self.bands[first : max(high - self.lag, first)]) * gain
        return np.concatenate([np.zeros((high - low - len(heard), heard.shape[1]), np.float32), heard])

    def covers(self, total: Floats) -> Mask:
        """Return where a channel, given its (frames,) power, is no louder than the leak."""
        delayed = np.concatenate([np.zeros(self.lag, np.float32), self.total])[: len(total)]
        allowed = decibels(smoothed(delayed, _GATE_SMOOTHING)) + self.level_db + _GATE_DB
        covered: Mask = decibels(smoothed(total, _GATE_SMOOTHING)) < allowed
        return covered


def find_leak(level_db: Floats, other_db: Floats) -> tuple[int, float] | None:
    """Return at what lag, in frames, and level in dB another channel leaks into this one, or None.

    Levels are (frames,), smoothed over 24 ms, in dBFS.

    It looks at the frames in which the other certainly speaks and this channel is much quieter, yet above its
    own floor. Where the two levels rise and fall together there, at some delay, it is a leak.
    """
    lags = range(0, min(round(_MAX_LAG_S / FRAME_S) + 1, len(level_db)), _LAG_STEP)
    if not lags:
        return None
    floor_db = np.percentile(level_db, 10)
    loud = other_db > np.percentile(other_db, 95) - _LOUD_DB
    audible = (level_db > floor_db + _AUDIBLE_DB) & (level_db > _QUIETEST_DBFS)
    best: tuple[int, float, float, float] | None = None
    best_correlation = _MIN_CORRELATION
    for lag in lags:
        here, there = level_db[lag:], other_db[: len(other_db) - lag]
        chosen = np.flatnonzero(loud[: len(there)] & audible[lag:] & (here < there - _QUIETER_DB))
        if len(chosen) * FRAME_S < _MIN_EVIDENCE_S:
            continue
        ours, theirs = here[chosen], there[chosen]
        # A level that never changes has no correlation.
        if ours.std() == 0 or theirs.std() == 0:
            continue
        correlation = float(np.corrcoef(ours, theirs)[0, 1])
        if correlation >= best_correlation:
            best_correlation = correlation
            best = lag, *np.percentile(ours - theirs, [25, 50, 75])
    if best is None:
        return None
    lag, low_db, middle_db, high_db = best
    # A copy of nearly the same level is the same sound on both channels, and looks like this at wrong delays.
    if middle_db > -_CLEARLY_QUIETER_DB or high_db - low_db > _MAX_SPREAD_DB:
        return None
    return lag, float(middle_db)
