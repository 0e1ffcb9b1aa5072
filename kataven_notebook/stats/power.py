"""How many clusters a group it takes to see a difference: found by drawing samples of a pilot's values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats import special
from kataven_notebook.stats.estimates import difference, estimate, probability_of
from kataven_notebook.stats.pilot import Move, bandwidth
from kataven_notebook.stats.samples import are_counts

if TYPE_CHECKING:
    from kataven_notebook.stats.estimates import Statistic
    from kataven_notebook.stats.pilot import Doubles, Drawn, Pilot, Whole

_NAN = float("nan")
LARGEST_SIMULATED = 3_000
"""Clusters a group: above, sums and quantiles are as normal as the formula supposes, and samples are slow to compare.
As are those of a function, which is resampled for each comparison: of them the formula speaks alone."""
LARGEST_TRIED = 12_000
"""Clusters a group: no larger samples are drawn, whatever the smaller ones showed."""
LARGEST = 10_000_000
DATA_SETS = 300
_GRID = (0.6, 0.8, 1.0, 1.25, 1.6)
_SPREAD_DRAWS = 300
_LARGER = 3


@dataclass(frozen=True, slots=True)
class Needed:
    """How many clusters a group a difference takes.

    Attributes
    ----------
    n : float
        Clusters a group; NaN where the pilot can't say.
    low, high : float
        What pilots of the same size would say, in 95 of 100 cases; NaN where this one is too small for that.
    power : float
        How often the difference was found in samples of this size; NaN where none were drawn.
    note : str or None
        What there is to know.
    """

    n: float
    low: float = _NAN
    high: float = _NAN
    power: float = _NAN
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What is looked for.

    Attributes
    ----------
    statistic : str or callable
        Any but "auto".
    difference : float
        The second group's statistic minus the first's.
    power : float
        How often it is to be found, between 0 and 1.
    confidence_level : float
        It is found where the interval of this level leaves 0 out.
    seed : int
        The same seed gives the same numbers.
    """

    statistic: Statistic
    difference: float
    power: float = 0.8
    confidence_level: float = 0.95
    seed: int = 0


def needed(first: Pilot, second: Pilot, aim: Aim, *, least: float = 0.0) -> Needed:
    """Return how many clusters a group it takes to see a difference between two groups.

    The formula (z₁ + z₂)² (v₁ + v₂) / d² gives a first number, where v is the variance of the statistic of one
    cluster, from samples drawn of the pilot. Around it, sizes are tried: of each, samples of both groups are drawn
    with replacement, and compared as `difference` does it, which is what `compare_groups` reports. A probit line
    through the shares in which the difference was found gives the size, and samples of that size its power.

    Parameters
    ----------
    first, second
        Pilots of both groups, or one twice; the second is moved until it differs by what is looked for.
    aim
        What is looked for.
    least
        What a larger difference takes: chance in the samples must not make a smaller one take less.

    Raises
    ------
    ConfigurationError
        The statistic can't be that much larger or smaller.

    Examples
    --------
    >>> from kataven_notebook.stats.pilot import Pilot
    >>> pilot = Pilot(np.random.default_rng(1).normal(1.0, 0.5, 400))
    >>> found = needed(pilot, pilot, Aim("mean", 0.2))
    >>> 65 < found.n < 105, 0.7 < found.power < 0.9
    (True, True)
    """
    if min(first.clusters, second.clusters) < 2:
        return Needed(
            _NAN, note="a group of the pilot has fewer than two calls with a value: it says nothing of spread"
        )
    if aim.statistic != "share" and min(np.ptp(each.values) for each in (first, second)) == 0:
        return Needed(_NAN, note="all values of a group of the pilot are equal: it says nothing of spread")
    if probability_of(aim.statistic) is not None:
        first, second = first.blurred(), second.blurred()
    move = move_of(first, second, aim)
    random = np.random.default_rng(aim.seed)
    variances = [_variance(first, None, aim, random), _variance(second, move, aim, random)]
    z = special.ndtri([(1 + aim.confidence_level) / 2, aim.power])
    n = max(2.0, math.ceil(z.sum() ** 2 * sum(variances) / aim.difference**2))
    factor = _range_of_variance(first, second, move, aim, random)
    power = _NAN
    # Quantiles of counts are at no size as normal as the formula supposes.
    is_stepped = probability_of(aim.statistic) is not None and first.blur == second.blur == 0
    if is_stepped or (n <= LARGEST_SIMULATED and isinstance(aim.statistic, str)):
        n = _tried(first, second, move, aim, n, random)
        if math.isnan(n):
            return Needed(_NAN, note=_unfound(aim))
        n = max(n, least)
        power = _found(first, second, move, aim, int(n), random)
        # What so few samples say is that much beside the truth; beyond that, chance made the size too small.
        tolerated = aim.power - 4 * math.sqrt(aim.power * (1 - aim.power) / DATA_SETS)
        for _ in range(_LARGER):
            if power < tolerated:
                n = math.ceil(n * 1.25)
                power = _found(first, second, move, aim, int(n), random)
        if power < tolerated:
            return Needed(_NAN, power=power, note=_unfound(aim))
    n = max(n, least)
    if n > LARGEST:
        return Needed(_NAN, note=f"more than {LARGEST:,} calls a group: the difference is tiny beside the spread")
    low, high = np.ceil(n * np.asarray(factor))
    return Needed(n, float(low), float(high), power)


def move_of(first: Pilot, second: Pilot, aim: Aim) -> Move:
    """Return how the second group is moved to differ from the first by what is looked for.

    Raises
    ------
    ConfigurationError
        No share, or no mean of counts, is as large or small as that.
    """
    base, start = _value(first, None, aim), _value(second, None, aim)
    target, is_rate = base + aim.difference, aim.statistic == "rate"
    if aim.statistic == "share":
        if not 0 <= target <= 1:
            raise ConfigurationError(
                f"difference={aim.difference:g}: the share is {base:.3g} in the pilot, and can't become {target:.3g}"
            )
        return Move("flip", target, start)
    is_counted = all(are_counts(each.values) for each in (first, second))
    if aim.statistic in ("mean", "rate") and is_counted:
        if target < 0:
            raise ConfigurationError(
                f"difference={aim.difference:g}: the {aim.statistic} is {base:.3g} in the pilot, and counts can't "
                f"become {target:.3g}"
            )
        return Move("count", target, start, is_rate)
    return Move("shift", target, start, is_rate)


def _value(pilot: Pilot, drawn: Drawn | None, aim: Aim, values: Doubles | None = None) -> float:
    """Return the statistic of a pilot, or of a sample of it."""
    chosen: Any = pilot if drawn is None else drawn
    return estimate(
        chosen.values if values is None else values,
        aim.statistic,
        exposure_s=chosen.exposure_s if aim.statistic == "rate" else None,
        resamples=2,
    ).value


def _variance(pilot: Pilot, move: Move | None, aim: Aim, random: np.random.Generator) -> float:
    """Return the variance of the statistic of samples, times how many clusters they have."""
    n = min(max(pilot.clusters, 50), LARGEST_SIMULATED)
    found = []
    for _ in range(_SPREAD_DRAWS):
        drawn = pilot.redrawn(n, random)
        found.append(_value(pilot, drawn, aim, drawn.values if move is None else move.of(drawn, random)))
    return float(np.var(found, ddof=1)) * n


def _range_of_variance(
    first: Pilot, second: Pilot, move: Move, aim: Aim, random: np.random.Generator
) -> tuple[float, float]:
    """Return by which factors the number would differ in 95 of 100 pilots of this size; NaN where they don't say."""
    if not isinstance(aim.statistic, str):
        return _NAN, _NAN
    sizes = min(first.clusters, LARGEST_SIMULATED), min(second.clusters, LARGEST_SIMULATED)
    found = []
    for _ in range(DATA_SETS // 2):
        one, other = first.redrawn(sizes[0], random), second.redrawn(sizes[1], random)
        parts = (
            _relative(one, one.values, first.blur, aim),
            _relative(other, move.of(other, random), second.blur, aim),
        )
        found.append(sum(part * size for part, size in zip(parts, sizes, strict=True)))
    widths = np.array(found)
    known = widths[np.isfinite(widths)]
    if len(known) < len(widths) / 2 or not np.median(known) > 0:
        return _NAN, _NAN
    low, high = np.quantile(known, [0.005, 0.995]) / np.median(known)
    return min(1.0, float(low)), max(1.0, float(high))


def _relative(drawn: Drawn, values: Doubles, blur: float, aim: Aim) -> float:
    """Return what the variance of the statistic is in proportion to, as a pilot of these values would have it."""
    probability = probability_of(aim.statistic)
    if probability is not None and blur:
        place, width = np.quantile(values, probability), bandwidth(values)
        return float(np.exp(-(((values - place) / width) ** 2) / 2).mean() / width) ** -2
    exposure = drawn.exposure_s if aim.statistic == "rate" else None
    found = estimate(values, aim.statistic, clusters=drawn.clusters, exposure_s=exposure)
    return (found.high - found.low) ** 2


def _tried(first: Pilot, second: Pilot, move: Move, aim: Aim, n: float, random: np.random.Generator) -> float:
    """Return the size at which samples find the difference as often as they are to; NaN where none tried does."""
    shares: dict[int, float] = {}
    while n <= LARGEST_TRIED:
        for size in np.unique(np.maximum(np.ceil(np.array(_GRID) * n), 2)).astype(int).tolist():
            if size not in shares:
                shares[size] = _found(first, second, move, aim, size, random)
        enough = min((size for size, share in shares.items() if share >= aim.power), default=None)
        if enough is None:
            n = max(shares) * _GRID[-1]
        elif enough > min(shares):
            return _crossing(shares, enough, aim)
        elif enough == 2:
            return 2.0
        else:
            n = max(2.0, enough * _GRID[0])
    return _NAN


def _unfound(aim: Aim) -> str:
    said = "no size that was tried shows it as often as asked: the pilot has too few different values"
    return said if probability_of(aim.statistic) is None else f"{said} for a quantile, compare means"


def _crossing(shares: dict[int, float], enough: int, aim: Aim) -> float:
    """Return where a line through probits of shares by √size, near the first size that suffices, reaches the power."""
    lacking = max(size for size in shares if size < enough)
    sizes = np.array([size for size in shares if _GRID[0] * lacking <= size <= _GRID[-1] * enough])
    # Shares of 0 and 1 lie at no finite place of the line.
    places = special.ndtri(np.clip([shares[size] for size in sizes.tolist()], 0.5 / DATA_SETS, 1 - 0.5 / DATA_SETS))
    slope, intercept = np.polyfit(np.sqrt(sizes), places, 1)
    root = (special.ndtri(aim.power) - intercept) / slope if slope > 0 else math.sqrt(enough)
    return float(np.clip(math.ceil(max(root, 0.0) ** 2), lacking + 1, enough))


def _found(first: Pilot, second: Pilot, move: Move, aim: Aim, n: int, random: np.random.Generator) -> float:
    """Return in which share of samples of a size the interval of the difference leaves 0 out, on its side."""
    is_rate, found = aim.statistic == "rate", 0
    for _ in range(DATA_SETS):
        one, other = first.redrawn(n, random), second.redrawn(n, random)
        compared = difference(
            move.of(other, random),
            one.values,
            aim.statistic,
            clusters=_apart(other.clusters, n),
            other_clusters=one.clusters,
            exposure_s=other.exposure_s if is_rate else None,
            other_exposure_s=one.exposure_s if is_rate else None,
            confidence_level=aim.confidence_level,
        )
        found += (compared.low > 0) if aim.difference > 0 else (compared.high < 0)
    return found / DATA_SETS


def _apart(clusters: Whole | None, n: int) -> Whole | None:
    """Return clusters under names that those of the other group don't have: nothing is paired."""
    return None if clusters is None else clusters + n
