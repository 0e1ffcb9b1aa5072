"""Finds the level at which a channel was cut off, and how much of it, where a codec or a filter came afterwards.

Sound that is not cut off thins out towards its extremes. Cut off, all that would have gone beyond the ceiling lies
on it. Resampling or a codec spreads that pile to both sides, so that no two samples are equal any more, but the pile
is still there in the histogram of amplitudes: its samples are those that were cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Counts = npt.NDArray[np.int64]

_BINS_PER_UNIT = 8_192  # 0.01 of full scale has 80 of them
_REACH = 2.0  # decoders go beyond full scale
_MIN_DISTINCT = 8  # of fewer amplitudes there is no shape
_OCTAVES = 3  # from the highest sample down, in amplitude
_WIDTHS = (0.01, 0.02, 0.04, 0.08)
"""Of the bins, relative to their amplitude: resampling leaves a narrow pile, telephone codecs a wide one."""
_VALLEY_REACH = 0.35  # of the pile's amplitude; further down other sounds are counted
_MIN_HEIGHT = 1.25
"""Density of the pile over that of the valley below it; of sound that is not cut off it is below 1."""
_MIN_DEVIATIONS = 4.5
_SAMPLES_PER_CREST = 3.0  # neighbours have about the same amplitude: so many count as one, at 8 kHz
_MAX_BEYOND = 0.03
"""Of the pile, beyond 1.5 times its level: more, and louder sound was not cut off there."""
_MIN_CONCENTRATION = 0.6  # of the pile above 0.9 of its level; of a tone's 0.4
_MIN_CORE = 0.3  # of the pile between 0.9 and 1.15 of its level: else the level is below the pile
_NARROW_TOP = 1.35
"""Highest sample over the pile's level, where the pile is narrow: a codec that widens the one widens the other."""
_RARE = 2e-4
"""Share of samples above what is taken for the top of a channel: single ones don't count."""
_EVEN = 0.7
"""Fall of density, in nepers, from 0.45 to 0.85 of the top: 1.1 and more in speech, also compressed."""
_MIN_PILE = 0.08
"""Of the samples that an even distribution has below the top: clipping that leaves one puts as many on top."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Where samples pile up, and how many more there are than the sound below it lets expect."""

    level: float
    samples: float


class AmplitudeHistogram:
    """Counts the samples of a channel by amplitude, block after block, each sign for itself."""

    def __init__(self) -> None:
        self._half = round(_REACH * _BINS_PER_UNIT)
        self._counts: Counts = np.zeros(2 * self._half, dtype=np.int64)

    def add(self, samples: Doubles) -> None:
        """Take the next samples, finite."""
        scaled = samples * _BINS_PER_UNIT
        scaled += self._half
        np.clip(scaled, 0, 2 * self._half - 1, out=scaled)
        self._counts += np.bincount(scaled.astype(np.intp), minlength=2 * self._half)

    def ceiling(self, *, oversampling: float = 1.0) -> Ceiling | None:
        """Return the ceiling of both signs together, or else of one of them; None where there is none.

        Parameters
        ----------
        oversampling
            Sample rate over 8 kHz: how much more alike neighbours are than those of telephone sound.
        """
        positive, negative = self._counts[self._half :], self._counts[self._half - 1 :: -1]
        # An offset, or an amplifier with one, cuts one side only, or each at another level.
        if (both := _ceiling(positive + negative, oversampling)) is not None:
            return both
        sides = [_ceiling(side, oversampling) for side in (positive, negative)]
        found = [side for side in sides if side is not None]
        return max(found, key=lambda side: side.samples, default=None)

    def is_plateau(self, on_top: float, level: float = float("nan")) -> bool:
        """Return whether amplitudes go on evenly to the top, with too few on it for clipping.

        Sound that is not cut off thins out before its top, and clipping leaves a pile there. A plateau is what a
        limiter leaves, or a codec that blurs the pile.

        Parameters
        ----------
        on_top
            How many samples lie on the top.
        level
            Of the top; NaN for the level that next to no samples exceed.
        """
        counts = self._counts[self._half :] + self._counts[self._half - 1 :: -1]
        below = np.concatenate([[0], np.cumsum(counts)])
        rare = int(np.searchsorted(below, below[-1] * (1 - _RARE)))
        top = rare if np.isnan(level) else round(level * _BINS_PER_UNIT)
        lower, upper = (int(below[int(high * top)] - below[int(low * top)]) for low, high in ((0.4, 0.5), (0.8, 0.9)))
        if not upper or np.log(max(lower, 1) / upper) >= _EVEN:
            return False
        return on_top < _MIN_PILE * 10 * upper


def _ceiling(counts: Counts, oversampling: float) -> Ceiling | None:
    """Return the largest pile near the top of a histogram of magnitudes."""
    occupied = np.flatnonzero(counts)
    if len(occupied) < _MIN_DISTINCT:
        return None
    # Steps as wide as those of mu-law would look like piles: a step's samples are spread over it.
    at = (occupied + 0.5) / _BINS_PER_UNIT
    edges = np.concatenate([[0.0], (at[1:] + at[:-1]) / 2, [1.5 * at[-1] - 0.5 * at[-2]]])
    below = np.concatenate([[0.0], np.cumsum(counts[occupied])])
    found = [pile for width in _WIDTHS for pile in _piles(edges, below, width, oversampling)]
    return max(found, key=lambda pile: pile.samples, default=None)


def _piles(edges: Doubles, below: Doubles, width: float, oversampling: float) -> list[Ceiling]:
    """Return the piles in bins of one relative width; `below` counts the samples under each of `edges`."""
    borders = edges[-1] * np.exp(-width * np.arange(round(_OCTAVES * np.log(2) / width), -1, -1))
    cumulated = np.interp(borders, edges, below)
    counts, spans = np.diff(cumulated), np.diff(borders)
    density = counts / spans
    found = []
    for pile in range(3, len(density)):
        first = int(np.searchsorted(borders[1:], _VALLEY_REACH * borders[pile + 1]))
        if pile - first < 2:
            continue
        valley = first + int(np.argmin(density[first:pile]))
        expected = density[valley] * spans[pile]
        spread = np.sqrt(
            _SAMPLES_PER_CREST * max(oversampling, 1.0) * (expected + 1) * (1 + spans[pile] / spans[valley])
        )
        stands_out = counts[pile] - expected >= _MIN_DEVIATIONS * spread
        if stands_out and density[pile] >= _MIN_HEIGHT * max(density[valley], 1 / spans[valley]):
            level = (borders[pile] + borders[pile + 1]) / 2
            if ceiling := _checked(edges, below, level, valley=(borders[valley + 1], density[valley]), width=width):
                found.append(ceiling)
    return found


def _checked(
    edges: Doubles, below: Doubles, level: float, *, valley: tuple[float, float], width: float
) -> Ceiling | None:
    """Return the pile at `level` where it has the shape of a ceiling."""

    def beyond(amplitude: float) -> float:
        return float(below[-1] - np.interp(amplitude, edges, below))

    valley_level, valley_density = valley
    # What was not cut off goes on from the valley to the ceiling as dense as there.
    excess = beyond(valley_level) - valley_density * (level - valley_level)
    if excess <= 0 or beyond(1.5 * level) > _MAX_BEYOND * excess:
        return None
    from_near = beyond(0.9 * level) - valley_density * (level - max(0.9 * level, valley_level))
    if from_near < _MIN_CONCENTRATION * excess or from_near - beyond(1.15 * level) < _MIN_CORE * excess:
        return None
    if width < _WIDTHS[2] and edges[-1] > _NARROW_TOP * level:
        return None
    return Ceiling(float(level), float(excess))
