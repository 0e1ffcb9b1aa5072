"""One estimate beside another: their difference or ratio, its limits, and p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.stats import special
from kataven_notebook.stats.spreads import Spread, skewed, skewness_of_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kataven_notebook.stats.spreads import Doubles

EQUAL_PAIRS = "all differences within pairs are equal: nothing says how much others would differ"
_NAN = float("nan")
_LEAST_PART = 0.4
_LOWER, _UPPER = -1, 1
_GRID = np.r_[np.arange(0.0, 4.0, 0.05), np.arange(4.0, 8.6, 0.25)]
"""Normal quantiles at which limits are looked up to find a p-value; the last one's is 1e-17."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How far an estimate is from the reference's.

    Attributes
    ----------
    value, low, high : float
        The difference or ratio and its interval; NaN where there is none.
    p_value : float
        The confidence level at which the interval would end at no difference, subtracted from 1.
    note : str or None
        Why there is no interval.
    """

    value: float
    low: float = _NAN
    high: float = _NAN
    p_value: float = _NAN
    note: str | None = None


@np.errstate(over="ignore", invalid="ignore")  # limits far out are looked up too, for small p-values
def effect_of(spread: Spread, reference: Spread, effect: str, z: float) -> Effect:
    """Return the difference of two estimates, or their ratio.

    Where the samples have nothing in common, the limits are put together from those of both (Zou & Donner, Statistics
    in Medicine 27, 2008; for ratios Donner & Zou 2012), which are taken where both are off by their part, and keeps
    what is lopsided in them. Where clusters have values in both samples, as in a paired design, what is common to them
    cancels: by the clusters' own differences for means and rates, by the correlation for shares (Newcombe 1998) and
    quantiles.

    Parameters
    ----------
    spread, reference
        Two estimates of one statistic.
    effect
        "difference" or "ratio".
    z
        The normal quantile of the interval, such as 1.96.
    """
    value = _value(spread.value, reference.value, effect)
    note = _reason(spread, reference, effect, value, z)
    if note is not None or spread.at is None or reference.at is None:
        return Effect(value, note=note)
    shared = _pulls_of_both(spread, reference)
    if shared is not None and spread.is_linear and reference.is_linear:
        return _of_pulls(spread, reference, shared, effect, value, z)
    correlation = 0.0 if shared is None else _correlation(*shared)
    return _Both(spread, reference, correlation, z).effect(effect)


@np.errstate(over="ignore", invalid="ignore")
def effect_of_spread(spread: Spread, effect: str, z: float) -> Effect:
    """Return a difference or ratio that has limits of its own.

    Parameters
    ----------
    spread
        Of the difference or ratio itself.
    effect, z
        As for `effect_of`.
    """
    low, high, note = spread.limits(z)
    if note is not None or spread.at is None:
        return Effect(spread.value, note=note)
    at, none = spread.at, 0.0 if effect == "difference" else 1.0
    side = -1.0 if spread.value > none else 1.0
    p_value = _p_value(lambda grid: -side * (at(side * grid) - none), z)
    return Effect(spread.value, low, high, p_value if spread.value != none else 1.0)


def holm(p_values: Sequence[float]) -> Doubles:
    """Return p-values corrected for their number, by Holm's method (Scandinavian Journal of Statistics 6, 1979).

    Parameters
    ----------
    p_values
        Of one family of comparisons; NaN ones are not counted and stay.

    Examples
    --------
    >>> holm([0.01, 0.04, float("nan"), 0.03]).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    result = np.full(len(given), _NAN)
    found = np.flatnonzero(~np.isnan(given))
    order = found[np.argsort(given[found], kind="stable")]
    raised = given[order] * np.arange(len(order), 0, -1)
    result[order] = np.minimum(np.maximum.accumulate(raised), 1.0) if len(order) else raised
    return result


def _value(value: float, other: float, effect: str) -> float:
    if effect == "difference":
        return value - other
    return value / other if other else _NAN


def _reason(spread: Spread, reference: Spread, effect: str, value: float, z: float) -> str | None:
    """Return why there can be no interval."""
    for whose, each in (("", spread), ("in the reference group ", reference)):
        low, _, note = each.limits(z)
        if note is not None:
            return whose + note
        if effect == "ratio" and whose and low <= 0:
            return "the reference's interval reaches 0, which nothing can be divided by: effect='difference'"
        if effect == "ratio" and each.value < 0:
            return "a ratio of negative values says nothing: effect='difference'"
    return None if np.isfinite(value) else "there is no number to compare"


def _pulls_of_both(spread: Spread, reference: Spread) -> tuple[Doubles, Doubles] | None:
    """Return the pulls of all clusters of either, on both; None where no cluster is in both."""
    if spread.labels is None or reference.labels is None or spread.pulls is None or reference.pulls is None:
        return None
    positions = {label: at for at, label in enumerate(spread.labels)}
    count = len(positions)
    for label in reference.labels:
        positions.setdefault(label, len(positions))
    if len(positions) == count + len(reference.labels):
        return None
    mine, others = np.zeros(len(positions)), np.zeros(len(positions))
    for target, each in ((mine, spread), (others, reference)):
        own, total = len(each.labels or ()), len(positions)
        # Each has the correction for its own number of clusters.
        scale = np.sqrt((own - 1) / own * total / (total - 1))
        target[[positions[label] for label in each.labels or ()]] = np.asarray(each.pulls) * scale
    return mine, others


def _correlation(mine: Doubles, others: Doubles) -> float:
    length = float(np.sqrt((mine @ mine) * (others @ others)))
    return float(np.clip(mine @ others / length, -1, 1)) if length else 0.0


def _of_pulls(
    spread: Spread, reference: Spread, shared: tuple[Doubles, Doubles], effect: str, value: float, z: float
) -> Effect:
    """Return the effect from each cluster's own difference."""
    mine, others = shared
    is_ratio = effect == "ratio"
    if is_ratio and not spread.value:
        return Effect(value, note="a ratio of 0 has no interval in a paired design: effect='difference'")
    pulls = mine / spread.value - others / reference.value if is_ratio else mine - others
    error = float(np.sqrt(pulls @ pulls))
    if error <= 1e-12 * max(abs(spread.value), abs(reference.value)):
        return Effect(value, note=EQUAL_PAIRS)
    around = skewed(float(np.log(value)) if is_ratio else value, error, skewness_of_sum(pulls), len(pulls) - 1)
    whole = Spread(value, (lambda z: np.exp(around(z))) if is_ratio else around)
    return effect_of_spread(whole, effect, z)


class _Both:
    """The limits of two estimates, put together.

    Both are rarely off by as much at once: an end of the interval is reached where each is off by its part, which is
    the larger the wider its own interval is on that side.
    """

    def __init__(self, spread: Spread, reference: Spread, correlation: float, z: float) -> None:
        self._both, self._correlation, self._z = (spread, reference), correlation, z
        self._parts = [(1.0, 1.0), (1.0, 1.0)]
        self._parts = [self._parts_of(side) for side in (_LOWER, _UPPER)]

    def effect(self, effect: str) -> Effect:
        """Return the difference or ratio."""
        value, other = (each.value for each in self._both)
        apart = _value(value, other, effect)
        ends = []
        for side in (_LOWER, _UPPER):
            mine, others = self._distances(np.array([self._z]), side)
            if effect == "difference":
                ends.append(apart + side * _together(mine, others, self._correlation)[0])
            else:
                ends.append(_root(value, other, mine[0], others[0], self._correlation, is_upper=side == _UPPER))
        if not np.isfinite(ends).all():
            return Effect(apart, note="too few values: the interval would have no end")
        if not ends[0] < ends[1]:
            return Effect(apart, note=EQUAL_PAIRS)
        p_value = _p_value(self._left, self._z) if value != other else 1.0
        return Effect(apart, float(ends[0]), float(ends[1]), p_value)

    def _left(self, grid: Doubles) -> Doubles:
        """Return what is left of the difference at the end of its interval that is nearer to 0."""
        difference = self._both[0].value - self._both[1].value
        mine, others = self._distances(grid, _LOWER if difference > 0 else _UPPER)
        return abs(difference) - _together(mine, others, self._correlation)

    def _parts_of(self, side: int) -> tuple[float, float]:
        mine, others = (float(each[0]) for each in self._distances(np.array([self._z]), side))
        whole = float(np.hypot(mine, others))
        if not whole:
            return 1.0, 1.0
        # Close to the estimate limits are as coarse as the values.
        return max(mine / whole, _LEAST_PART), max(others / whole, _LEAST_PART)

    def _distances(self, z: Doubles, side: int) -> tuple[Doubles, Doubles]:
        """Return how far the estimate's limit on this side, and the reference's on the other, are from them."""
        found = []
        for spread, towards, part in zip(self._both, (side, -side), self._parts[side > 0], strict=True):
            distance = towards * (_limits(spread, towards * z * part) - spread.value)
            if self._correlation:
                # What is lopsided in both would not cancel.
                distance = (distance - towards * (_limits(spread, -towards * z * part) - spread.value)) / 2
            found.append(np.maximum(distance / part, 0.0))
        return found[0], found[1]


def _limits(spread: Spread, z: Doubles) -> Doubles:
    return np.full(len(z), spread.value) if spread.at is None else spread.at(z)


def _together(mine: Doubles, others: Doubles, correlation: float) -> Doubles:
    square = mine**2 + others**2 - (2 * correlation * mine * others if correlation else 0.0)
    # Infinite ones leave NaN where they cancel.
    result: Doubles = np.sqrt(np.where(np.isnan(square), np.inf, np.maximum(square, 0.0)))
    return result


def _root(value: float, other: float, mine: float, others: float, correlation: float, *, is_upper: bool) -> float:
    """Return the ratio at which the difference of the estimate and so many times the reference ends at 0."""
    a, c = other**2 - others**2, value**2 - mine**2
    b = value * other - correlation * mine * others
    root = float(np.sqrt(max(b * b - a * c, 0.0)))
    if is_upper:
        return (b + root) / a if a > 0 else float("inf")
    return max(c / (b + root), 0.0) if b + root > 0 else 0.0


def _p_value(left: Callable[[Doubles], Doubles], z: float) -> float:
    """Return twice the probability beyond the normal quantile at which nothing of the effect is left."""
    # With the interval's own quantile among them, so that both say the same.
    grid = np.sort(np.append(_GRID, z))
    remaining = left(grid)
    gone = np.flatnonzero(~(remaining > 0))
    if not len(gone):
        return float(2 * special.ndtr(-grid[-1]))
    last = max(int(gone[0]), 1)
    before, after = remaining[last - 1], remaining[last]
    found = grid[last - 1]
    if np.isfinite(after) and before > after:
        found += (grid[last] - grid[last - 1]) * max(before, 0.0) / (max(before, 0.0) - after)
    return float(min(1.0, 2 * special.ndtr(-found)))
