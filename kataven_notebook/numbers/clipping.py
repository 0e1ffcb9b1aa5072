"""Finds samples that are cut off: runs of equal ones at the extremes of a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_MIN_RUN = 3  # a round top has two equal samples at most: one on each side of its peak
_FULL_SCALES = (1.0, 32_124 / 32_768, 32_256 / 32_768)  # linear PCM, mu-law and A-law (ITU-T G.711)
_FULL_SCALE_TOLERANCE = 1e-4
_MIN_FLAT_TOP = 0.05
"""Below -26 dBFS equal samples are coarse steps of the sound rather than clipping."""
_MIN_FLAT_TOP_RUNS = 5  # below full scale a single flat top may be chance
_CROWDING = 0.6
"""Samples on the flat top per sample between 80 and 98 % of it: sound that is not clipped thins out
towards its extremes, also where mu-law's wide steps make neighbours equal."""


@dataclass(frozen=True, slots=True)
class Clipped:
    """How many samples are cut off, and in which windows."""

    samples: int
    windows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Top:
    """What one block holds near its extreme."""

    level: float
    flat_samples: int
    runs: int
    beneath: int
    windows: npt.NDArray[np.int64]


class ClippingMeter:
    """Looks at one channel block after block; runs are cut at the blocks' borders."""

    def __init__(self, window_length: int) -> None:
        self._window_length = window_length
        self._done = 0
        self._tops: dict[int, list[_Top]] = {1: [], -1: []}

    def add(self, samples: npt.NDArray[np.float64]) -> None:
        """Take the next samples, finite, at least one."""
        for sign in (1, -1):
            self._tops[sign].append(self._top(np.minimum(samples * sign, 1.0)))
        self._done += len(samples)

    def result(self) -> Clipped:
        """Return what is clipped in all samples taken."""
        found = [top for sign in (1, -1) for top in _clipped(self._tops[sign])]
        windows = np.unique(np.concatenate([top.windows for top in found])) if found else np.empty(0, dtype=np.int64)
        return Clipped(sum(top.flat_samples for top in found), windows)

    def _top(self, samples: npt.NDArray[np.float64]) -> _Top:
        level = float(samples.max())
        if level <= 0:
            return _Top(level, 0, 0, 0, np.empty(0, dtype=np.int64))
        # Equal and not just near: a low tone lingers near its top without touching it twice.
        at = np.flatnonzero(samples == level)
        run = np.concatenate([[0], np.cumsum(np.diff(at) > 1)])
        lengths = np.bincount(run)
        flat = at[lengths[run] >= _MIN_RUN]
        runs = int((lengths >= _MIN_RUN).sum())
        beneath = int(((samples > 0.8 * level) & (samples < 0.98 * level)).sum()) if runs else 0
        windows = np.unique((flat + self._done) // self._window_length)
        return _Top(level, len(flat), runs, beneath, windows)


def _clipped(tops: list[_Top]) -> list[_Top]:
    """Return the blocks in which one side of the wave is clipped."""
    if not tops:
        return []
    level = max(top.level for top in tops)
    # A quieter stretch of a clipped channel is not clipped itself.
    reaching = [top for top in tops if top.flat_samples and top.level >= level - _FULL_SCALE_TOLERANCE]
    if any(abs(level - scale) <= _FULL_SCALE_TOLERANCE for scale in _FULL_SCALES):
        return reaching
    samples = sum(top.flat_samples for top in reaching)
    crowded = samples > _CROWDING * sum(top.beneath for top in reaching)
    enough = sum(top.runs for top in reaching) >= _MIN_FLAT_TOP_RUNS
    return reaching if crowded and enough and level >= _MIN_FLAT_TOP else []
