"""The shape of a channel's crests: round, flat as where it was cut off, or leaning as a filter leaves flat ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Singles = npt.NDArray[np.float32]

_FOOT = 0.7
"""A crest is what lies above this share of its peak."""
_MIN_PEAK = 0.2  # of the highest so far: quieter crests are not compared with loud ones
_FLAT = 0.5
"""Height of a crest over that of the parabola with the same width and slope at its foot: about 1 for round ones."""
_LOUD, _QUIETER = 0.85, (0.25, 0.5)
"""Ranges of peaks that are compared, relative to a level that 3 % of the crests exceed."""
_MIN_CRESTS = 20


@dataclass(frozen=True, slots=True)
class CrestShape:
    """How the highest crests of windows look; NaN where there are too few.

    Attributes
    ----------
    flat_ratio : float
        Share of loud crests that are flat. Speech that was not cut off has 0.00 to 0.05.
    lean : float
        By how much more loud crests lean than quieter ones: slope before less slope after, over their sum; 0 where
        they lean less. Behind a high-pass filter flat crests lean, and round ones as the quieter ones do.
    """

    flat_ratio: float
    lean: float


class CrestMeter:
    """Looks at the highest crest of each window, block after block.

    Parameters
    ----------
    window_length
        Samples in a window of 10 ms.
    """

    def __init__(self, window_length: int) -> None:
        self._reach = max(3, window_length // 5)  # 2 ms to each side
        self._highest = 0.0
        self._peaks: list[Singles] = []
        self._heights: list[Singles] = []
        self._leans: list[Singles] = []

    def add(self, windows: Doubles) -> None:
        """Take the next whole windows, `(n, window_length)`, in the order of time."""
        if not len(windows):
            return
        magnitudes = np.abs(windows)
        inside = magnitudes.argmax(axis=1)
        rows = np.arange(len(windows))
        peaks = magnitudes[rows, inside]
        self._highest = max(self._highest, float(peaks.max()))
        looked_at = np.flatnonzero(peaks > _MIN_PEAK * self._highest)
        height = np.full(len(windows), np.nan, dtype=np.float32)
        lean = np.full(len(windows), np.nan, dtype=np.float32)
        at = looked_at * windows.shape[1] + inside[looked_at]
        height[looked_at], lean[looked_at] = self._shapes(windows.reshape(-1), at)
        self._peaks.append(peaks.astype(np.float32))
        self._heights.append(height)
        self._leans.append(lean)

    def peaks(self) -> Singles:
        """Return the magnitude of each window's highest crest."""
        return np.concatenate(self._peaks) if self._peaks else np.empty(0, dtype=np.float32)

    def flat_ratio(self, level: float) -> float:
        """Return the share of flat crests among those that end near `level`; NaN where there is none."""
        peaks = self.peaks()
        near = (peaks > 0.9 * level) & (peaks < 1.3 * level)
        return _share_flat(np.concatenate(self._heights)[near]) if near.any() else float("nan")

    def shape(self) -> CrestShape:
        """Return how loud crests look, and how they differ from quieter ones."""
        peaks = self.peaks()
        nothing = CrestShape(float("nan"), float("nan"))
        if not (peaks > 0).any():
            return nothing
        heights, leans = np.concatenate(self._heights), np.concatenate(self._leans)
        known = np.isfinite(heights)
        top = float(np.quantile(peaks[peaks > 0], 0.97))
        loud = known & (peaks > _LOUD * top)
        quieter = known & (peaks > _QUIETER[0] * top) & (peaks < _QUIETER[1] * top)
        if min(loud.sum(), quieter.sum()) < _MIN_CRESTS:
            return nothing
        lean, usual = float(np.median(leans[loud])), float(np.median(leans[quieter]))
        # Loud crests that stand straight beside quieter ones that lean are another sound: a voice beside music.
        return CrestShape(_share_flat(heights[loud]), lean - usual if abs(lean) > abs(usual) else 0.0)

    def _shapes(self, samples: Doubles, at: npt.NDArray[np.intp]) -> tuple[Doubles, Doubles]:
        """Return height and lean of the crests with their peaks `at`; NaN where one has no foot on both sides."""
        reach = self._reach + 1
        padded = np.concatenate([np.zeros(reach), samples, np.zeros(reach)])
        crests = padded[at[:, None] + np.arange(2 * reach + 1)] / samples[at][:, None]
        outside = crests < _FOOT
        complete = outside[:, reach:].any(axis=1) & outside[:, :reach].any(axis=1)
        rows = np.arange(len(at))
        slopes, width = [], np.zeros(len(at))
        for side in (slice(reach, None), slice(reach, None, -1)):
            half = crests[:, side]
            first = np.maximum(np.argmax(outside[:, side], axis=1), 1)
            within, slope = half[rows, first - 1], half[rows, first - 1] - half[rows, first]
            slope = np.maximum(slope, 1e-9)
            slopes.append(slope)
            width += first - 1 + (within - _FOOT) / slope
        total = slopes[0] + slopes[1]
        # A parabola of this width, as steep at its foot, is this high.
        parabola = np.maximum(total / 2 * width / 4, 1e-9)
        height = np.where(complete, (1 - _FOOT) / parabola, np.nan)
        return height, (slopes[1] - slopes[0]) / total


def _share_flat(heights: Singles) -> float:
    known = heights[np.isfinite(heights)]
    return float((known < _FLAT).mean()) if len(known) else float("nan")
