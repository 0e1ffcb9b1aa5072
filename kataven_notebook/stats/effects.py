"""One estimate beside another: their difference or ratio, its limits, and p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.stats import special
from kataven_notebook.stats.spreads import Spread, as_many, student

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
    cancels: for means and rates by Student's t of the clusters' own differences, for ratios of those by Fieller's
    limits (1954), for shares (Newcombe 1998) and quantiles by the correlation.

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
    # A group without events has no pulls, and the limits of a count.
    if shared is not None and spread.is_linear and reference.is_linear and all(each.any() for each in shared):
        return _of_pulls(spread, reference, shared, effect, value, z)
    return _Both(spread, reference, shared, z).effect(effect)


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
    mine, others = _side_by_side(spread, reference, spread.pulls, reference.pulls)
    are_apart = len(mine) == len(spread.labels) + len(reference.labels)
    return None if are_apart else (mine, others)


def _side_by_side(spread: Spread, reference: Spread, mine: Doubles, others: Doubles) -> tuple[Doubles, Doubles]:
    """Return an amount for each cluster of either, 0 where it is not in that sample."""
    positions = {label: at for at, label in enumerate(spread.labels or ())}
    for label in reference.labels or ():
        positions.setdefault(label, len(positions))
    result = []
    for each, amounts in ((spread, mine), (reference, others)):
        filled = np.zeros(len(positions))
        filled[[positions[label] for label in each.labels or ()]] = amounts
        result.append(filled)
    return result[0], result[1]


def _correlation(mine: Doubles, others: Doubles) -> float:
    length = float(np.sqrt((mine @ mine) * (others @ others)))
    return float(np.clip(mine @ others / length, -1, 1)) if length else 0.0


def _of_pulls(
    spread: Spread, reference: Spread, shared: tuple[Doubles, Doubles], effect: str, value: float, z: float
) -> Effect:
    """Return the effect from each cluster's own difference."""
    mine, others = shared
    variance, other = float(mine @ mine), float(others @ others)
    pulls = mine - others if effect == "difference" else mine - value * others
    if np.sqrt(pulls @ pulls) <= 1e-12 * max(abs(spread.value), abs(reference.value)):
        return Effect(value, note=EQUAL_PAIRS)
    # What each cluster may add to the variance: of those that differ in size, or are in one sample only, few add much.
    sizes = [np.ones(len(each.labels or ())) if each.sizes is None else each.sizes for each in (spread, reference)]
    parts = _side_by_side(spread, reference, variance * sizes[0], other * sizes[1])
    df = as_many(parts[0] + parts[1]) - 1

    def of_difference(z: Doubles) -> Doubles:
        return value + student(z, df) * float(np.sqrt(pulls @ pulls))

    def of_ratio(z: Doubles) -> Doubles:
        squares = student(z, df) ** 2
        a, c = reference.value**2 - squares * other, spread.value**2 - squares * variance
        b = spread.value * reference.value - squares * float(mine @ others)
        with np.errstate(divide="ignore", invalid="ignore"):
            result = (b + np.sign(z) * np.sqrt(np.maximum(b * b - a * c, 0.0))) / a
        return np.where(a > 0, np.maximum(result, 0.0), np.sign(z) * np.inf)

    return effect_of_spread(Spread(value, of_difference if effect == "difference" else of_ratio), effect, z)


class _Both:
    """The limits of two estimates, put together.

    Both are rarely off by as much at once: an end of the interval is reached where each is off by its part, which is
    the larger the wider its own interval is on that side.
    """

    def __init__(self, spread: Spread, reference: Spread, shared: tuple[Doubles, Doubles] | None, z: float) -> None:
        self._both, self._z = (spread, reference), z
        self._correlation = self._cancelling = 0.0
        if shared is not None:
            self._correlation = _correlation(*shared)
            squares = sum(float(each @ each) for each in shared)
            self._cancelling = 2 * float(shared[0] @ shared[1]) / squares if squares else 0.0
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
                ends.append(apart + side * self._together(mine, others)[0])
            else:
                shared = self._shared(mine, others)[0]
                ends.append(_root(value, other, mine[0], others[0], shared, is_upper=side == _UPPER))
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
        return abs(difference) - self._together(mine, others)

    def _together(self, mine: Doubles, others: Doubles) -> Doubles:
        square = mine**2 + others**2 - 2 * self._shared(mine, others)
        # Infinite ones leave NaN where they cancel.
        result: Doubles = np.sqrt(np.where(np.isnan(square), np.inf, np.maximum(square, 0.0)))
        return result

    def _shared(self, mine: Doubles, others: Doubles) -> Doubles:
        """Return what cancels: the distances' product, by the correlation.

        It is no larger a part of their squares than it is of the variances: those of shares, which end at 0 and 1,
        would else be alike and cancel each other.
        """
        if not self._correlation:
            return np.zeros(len(mine))
        part = self._cancelling / 2 * (mine**2 + others**2)
        result: Doubles = np.minimum(self._correlation * mine * others, part)
        return result

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


def _root(value: float, other: float, mine: float, others: float, shared: float, *, is_upper: bool) -> float:
    """Return the ratio at which the difference of the estimate and so many times the reference ends at 0."""
    a, c = other**2 - others**2, value**2 - mine**2
    b = value * other - shared
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
    if remaining[np.searchsorted(grid, z)] > 0:
        # What is left at the interval's end is not gone closer by, where limits are as coarse as the values.
        gone = gone[grid[gone] > z]
    if not len(gone):
        return float(2 * special.ndtr(-grid[-1]))
    last = max(int(gone[0]), 1)
    before, after = remaining[last - 1], remaining[last]
    found, step = grid[last - 1], grid[last] - grid[last - 1]
    if not np.isfinite(after):
        found += step / 2
    elif before > after:
        found += step * max(before, 0.0) / (max(before, 0.0) - after)
    return float(min(1.0, 2 * special.ndtr(-found)))
