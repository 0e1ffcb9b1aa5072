"""Finds samples that are cut off: runs of equal ones at the extremes of a channel, or what a codec left of them.

Directly at the converter that cuts sound off, the samples at its extreme are equal, and can be counted. A codec, a
filter or another sample rate makes them unequal. Then their number is estimated from the pile that they make in
the histogram of amplitudes (`ceiling`), provided that crests at that level are flat (`crests`): those of a limiter or
a tone are round. Where flat or leaning crests show that something was cut off, and no pile is left to count,
the number is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.numbers.ceiling import AmplitudeHistogram, Ceiling
from kataven_notebook.numbers.crests import CrestMeter

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

_MIN_RUN = 3  # a round top has two equal samples at most: one on each side of its peak
_FULL_SCALES = (1.0, 32_124 / 32_768, 32_256 / 32_768)  # linear PCM, mu-law and A-law (ITU-T G.711)
_FULL_SCALE_TOLERANCE = 1e-4
_MIN_FLAT_TOP = 0.05
"""Below -26 dBFS equal samples are coarse steps of the sound rather than clipping."""
_MIN_FLAT_TOP_RUNS = 5  # below full scale a single flat top may be chance
_CROWDING = 0.6
"""Samples on the flat top per sample between 80 and 98 % of it: sound that is not clipped thins out
towards its extremes, also where mu-law's wide steps make neighbours equal."""
_MIN_WINDOWS = 10
_MIN_OFFSET = 0.02  # of the peak
_TELEPHONE_WINDOW = 80  # samples in 10 ms at 8 kHz
_FLAT_AT_CEILING = 0.1
"""Share of flat crests at a ceiling that was cut; at that of a limiter it is 0.08 at most."""
_ROUND = 0.02  # below, nothing is flat: a tone, a limiter
_HARDLY_FLAT = 0.04  # of loud crests, where amplitudes don't thin out either
_SUSPICIOUS_FLAT, _SUSPICIOUS_LEAN = 0.2, 0.3
"""Of loud crests. Sound that was not cut off has at most 0.08 and 0.27, also compressed, limited and coded."""
_MIN_AGREEMENT = 0.8  # counted over estimated: the count is of samples that are there, and preferred
_MIN_COUNTED = 0.01
_MIN_RATIO = 0.002  # a ceiling with fewer samples than this and no flat crest may be that of a limiter
_CANT_BE_TOLD = "cut off before it was coded or filtered, or limited hard: how much can't be told"


@dataclass(frozen=True, slots=True)
class Clipped:
    """Which share of samples is cut off, and in which windows; NaN where `reason` says why."""

    ratio: float
    windows: npt.NDArray[np.int64]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Top:
    """What one block holds near its extreme."""

    level: float
    flat_samples: int
    runs: int
    beneath: int
    windows: npt.NDArray[np.int64]


class ClippingMeter:
    """Looks at one channel block after block; runs are cut at the blocks' borders.

    Parameters
    ----------
    window_length
        Samples in a window of 10 ms.
    """

    def __init__(self, window_length: int) -> None:
        self._window_length = window_length
        self._done = 0
        self._tops: dict[int, list[_Top]] = {1: [], -1: []}
        self._amplitudes = AmplitudeHistogram()
        self._crests = CrestMeter(window_length)

    def add(self, samples: Doubles, windows: Doubles) -> None:
        """Take the next samples, finite, at least one, and the windows `(n, window_length)` that they complete."""
        extremes = {1: float(samples.max()), -1: -float(samples.min())}
        for sign, extreme in extremes.items():
            # What is beyond full scale is cut off there when it is played.
            self._tops[sign].append(self._top(samples, sign, min(extreme, 1.0)))
        # About an offset silence itself would be a pile.
        offset = _offset(samples, windows, max(extremes.values()))
        self._amplitudes.add(samples - offset if offset else samples)
        self._crests.add(windows - offset if offset else windows)
        self._done += len(samples)

    def result(self) -> Clipped:
        """Return what is clipped in all samples taken."""
        if self._done < _MIN_WINDOWS * self._window_length:
            return Clipped(float("nan"), np.empty(0, dtype=np.int64), "shorter than 0.1 s")
        found = [top for sign in (1, -1) for top in _clipped(self._tops[sign])]
        windows = np.unique(np.concatenate([top.windows for top in found])) if found else np.empty(0, dtype=np.int64)
        counted = sum(top.flat_samples for top in found)
        oversampling = self._window_length / _TELEPHONE_WINDOW
        ceiling = self._amplitudes.ceiling(oversampling=oversampling) or Ceiling(float("nan"), 0.0)
        if self._blurred(ceiling, counted):
            return Clipped(float("nan"), windows, _CANT_BE_TOLD)
        cut = self._crests.flat_ratio(ceiling.level) >= _FLAT_AT_CEILING
        if not cut or counted >= _MIN_AGREEMENT * ceiling.samples:
            return Clipped(counted / max(self._done, 1), windows)
        reaching = np.flatnonzero(self._crests.peaks() > 0.95 * ceiling.level)
        return Clipped(min(ceiling.samples / self._done, 1.0), np.union1d(windows, reaching))

    def _blurred(self, ceiling: Ceiling, counted: int) -> bool:
        """Return whether something was cut off, or held at a level, and how much can't be told."""
        shape = self._crests.shape()
        if shape.flat_ratio > _HARDLY_FLAT and self._amplitudes.is_plateau(
            max(ceiling.samples, counted), ceiling.level
        ):
            return True
        if counted >= max(_MIN_AGREEMENT * ceiling.samples, _MIN_COUNTED * self._done):
            return False
        flat_ratio = self._crests.flat_ratio(ceiling.level)
        if flat_ratio >= _FLAT_AT_CEILING:
            return False
        if flat_ratio >= _ROUND and _MIN_RATIO * self._done <= ceiling.samples > counted / _MIN_AGREEMENT:
            return True
        return shape.flat_ratio > _SUSPICIOUS_FLAT or abs(shape.lean) > _SUSPICIOUS_LEAN

    def _top(self, samples: Doubles, sign: int, level: float) -> _Top:
        if level <= 0:
            return _Top(level, 0, 0, 0, np.empty(0, dtype=np.int64))
        # Equal and not just near: a low tone lingers near its top without touching it twice.
        at = np.flatnonzero(samples >= level if sign > 0 else samples <= -level)
        run = np.concatenate([[0], np.cumsum(np.diff(at) > 1)])
        lengths = np.bincount(run)
        flat = at[lengths[run] >= _MIN_RUN]
        runs = int((lengths >= _MIN_RUN).sum())
        near = samples * (sign / level) if runs else np.empty(0)
        beneath = int(((near > 0.8) & (near < 0.98)).sum())
        windows = np.unique((flat + self._done) // self._window_length)
        return _Top(level, len(flat), runs, beneath, windows)


def _offset(samples: Doubles, windows: Doubles, peak: float) -> float:
    """Return a converter's constant offset: the mean of the quietest windows, 0 where it is small."""
    least = _MIN_OFFSET * peak
    # Mostly the mean of all is small, too, and no more need be asked.
    if not len(windows) or abs(samples.mean()) < least / 2:
        return 0.0
    # The mean of all would be that of speech, which leans to one side.
    means, spans = windows.mean(axis=1), np.ptp(windows, axis=1)
    offset = float(np.median(means[spans <= np.quantile(spans, 0.1)]))
    return offset if abs(offset) > least else 0.0


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
