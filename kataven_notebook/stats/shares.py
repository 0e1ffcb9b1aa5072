"""The share of units with a property, from a sample with unequal chances, with an interval that holds near 0 and 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.stats import special

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

_NAN = float("nan")
ENOUGH_HITS = 15
"""From as many units with the property, and as many without it, on, the variance that they show is believed."""
ENOUGH_WEIGHT = 5.0
"""As many of each, at least, must they be in calls of equal weight, as Kish (1965) counts these."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval.

    Attributes
    ----------
    value : float
        From 0 to 1; NaN without units.
    low, high : float
        The interval's ends; NaN without units, and where the strata leave no degree of freedom.
    n : int
        How many units it rests on.
    effective_n : float
        How many units of a simple random sample of an endless population would say as much; infinite where every unit
        of the population is in the sample.
    total : float
        Units of the population with the property (Horvitz & Thompson 1952).
    size : float
        Units of the population: the sum of the weights.
    """

    value: float
    low: float
    high: float
    n: int
    effective_n: float
    total: float
    size: float


def share(
    hits: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    strata: npt.ArrayLike | None = None,
    within: npt.ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> Share:
    """Return the share of a population's units that have a property.

    The value is Hájek's: the sum of the weights of units that have it, over the sum of all weights, where a weight is
    1 / inclusion probability. Its variance is linearised, within strata, with the approximation for fixed-size samples
    of unequal chances (Hájek 1964; Deville 1999), which for equal chances is the usual one with its finite-population
    correction. The interval is Wilson's at the effective number of units, which is what the variance says, or near 0
    and 1, where the variance says nothing, what the weights say (Kish 1965); with Student's t, for the strata cost
    degrees of freedom (Korn & Graubard 1998).

    Parameters
    ----------
    hits
        1 for a unit that has the property, 0 for one that has it not, or between.
    probabilities
        Each unit's inclusion probability, above 0 and at most 1.
    strata
        Each unit's stratum, as a whole number from 0; one stratum by default. Strata of one unit alone, which show
        no spread, are taken for one together, or with the largest (Cochran 1977): that errs to the safe side.
    within
        Whether each unit is in the part of the population that is asked for; all by default. Units of other parts
        count for the variance.
    confidence_level
        Between 0 and 1.

    Examples
    --------
    >>> found = share([0] * 60, [0.06] * 60)
    >>> found.value, round(found.high, 3), found.size
    (0.0, 0.059, 1000.0)
    """
    y, chance = np.asarray(hits, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    stratum = np.zeros(len(y), dtype=np.intp) if strata is None else np.asarray(strata, dtype=np.intp)
    inside = np.ones(len(y), dtype=np.bool_) if within is None else np.asarray(within, dtype=np.bool_)
    n, weight = int(inside.sum()), inside / chance
    size, total = float(weight.sum()), float((weight * y).sum())
    if not n:
        return Share(_NAN, _NAN, _NAN, 0, 0.0, _NAN, _NAN)
    value = min(total / size, 1.0)
    uncertain = inside & (chance < 1)
    if not uncertain.any():
        return Share(value, value, value, n, math.inf, total, size)
    stratum = _collapsed(stratum, chance < 1)
    freedom = float(uncertain.sum()) - len(np.unique(stratum[uncertain]))
    if freedom < 1:
        return Share(value, _NAN, _NAN, n, float(n), total, size)
    parts = _parts_of_variance(np.where(inside, y - value, 0.0) / size, chance, stratum)
    by_weights = float(weight.sum() ** 2 / (weight**2 * (1 - chance)).sum())
    few = min(float(y[inside].sum()), float((1 - y[inside]).sum())) < ENOUGH_HITS
    # So too where there are many, but a handful with large weights stand for nearly all others.
    few |= min(value, 1 - value) * by_weights < ENOUGH_WEIGHT
    effective = _effective_n(value, float(parts.sum()), by_weights, few=few)
    if not few and parts.sum() > 0:
        # Where a few units of large weight make most of the variance, it is known as badly as from these few alone.
        freedom = min(freedom, float(parts.sum() ** 2 / (parts**2).sum()))
    low, high = _wilson(value, effective, _quantile(confidence_level, freedom))
    return Share(value, low, high, n, effective, total, size)


def _collapsed(stratum: npt.NDArray[np.intp], uncertain: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return strata of which none has one unit alone, which shows no spread: such are one stratum together."""
    found, counts = np.unique(stratum[uncertain], return_counts=True)
    single = found[counts < 2]
    if len(single) == 1 and len(found) > 1:
        single = np.append(single, found[counts.argmax()])
    return np.where(np.isin(stratum, single), -1, stratum) if len(single) else stratum


def _parts_of_variance(residual: Doubles, chance: Doubles, stratum: npt.NDArray[np.intp]) -> Doubles:
    """Return what each unit adds to the variance of the sum of the expanded residuals."""
    parts = np.zeros(len(residual))
    for each in np.unique(stratum):
        at = (stratum == each) & (chance < 1)
        n = int(at.sum())
        if n > 1:
            expanded, left = residual[at] / chance[at], 1 - chance[at]
            centre = float((left * expanded).sum() / left.sum())
            parts[at] = n / (n - 1) * left * (expanded - centre) ** 2
    return parts


def _effective_n(value: float, variance: float, by_weights: float, *, few: bool) -> float:
    """Return p (1 - p) / variance; with few hits, which say little of the variance, at most what the weights say."""
    spread = value * (1 - value)
    if variance <= 0 or spread <= 0:
        return by_weights
    return min(spread / variance, by_weights) if few else spread / variance


def _quantile(confidence_level: float, freedom: float) -> float:
    return float(special.stdtrit(freedom, (1 + confidence_level) / 2))


def _wilson(value: float, n: float, z: float) -> tuple[float, float]:
    scale = 1 + z**2 / n
    middle = (value + z**2 / (2 * n)) / scale
    half = z / scale * math.sqrt(value * (1 - value) / n + z**2 / (4 * n**2))
    # At 0 and 1 the interval ends there: rounding must not put the value outside.
    return max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half))
