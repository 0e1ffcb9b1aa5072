"""Medians and other quantiles, and their limits: values of the sample itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.stats import special
from kataven_notebook.stats.means import ALIKE, ONE
from kataven_notebook.stats.spreads import Spread, as_many, jackknifed, student

if TYPE_CHECKING:
    import numpy.typing as npt

    from kataven_notebook.stats.samples import Sample
    from kataven_notebook.stats.spreads import Doubles


def spread_of_quantile(sample: Sample, probability: float) -> Spread:
    """Return a quantile with its limits.

    Where each cluster is one value, the share of all values that lies below the k-th smallest of n follows a Beta
    distribution, which is also where bootstrap samples have their quantile: the limits are read off the sorted values,
    exactly and without drawing (Hutson, Journal of Applied Statistics 26, 1999, with values between two neighbours
    interpolated). With clusters the same is done with as many values as independent ones would be as sure, from the
    variance between clusters of the share below (Woodruff 1952; Korn & Graubard 1998).

    Parameters
    ----------
    sample
        The values.
    probability
        The share of values that lies below the quantile, above 0 and below 1.
    """
    if not sample.n:
        return Spread(float("nan"), note="there are no values")
    ordered, shares, order = _sorted(sample)
    if sample.weights is None:
        value = _between(ordered, np.array([(len(ordered) - 1) * probability]))[0]
    else:
        value = float(np.interp(probability, shares, ordered))
    if sample.clusters < 2:
        return Spread(float(value), note=ONE.format("cluster" if sample.n > 1 else "value"))
    if ordered[0] == ordered[-1]:
        return Spread(float(value), note=ALIKE.format(value))
    rows, least, df = float(sample.n), np.inf, np.inf
    pulls = None
    if sample.codes is not None or sample.weights is not None:
        below = np.empty(sample.n)
        below[order] = _is_below(ordered, value)
        independent, pulls, clusters = _independent_rows(sample, below, probability)
        # Clusters of one value each are rows with names.
        if sample.is_clustered or sample.weights is not None:
            rows = independent
        if sample.is_clustered:
            df, least = clusters - 1, _rows_by_likeness(sample, shares, order)

    def at(z: Doubles) -> Doubles:
        shrunk = 1.0 if df == np.inf else _shrunk(z, df)
        alike = rows * shrunk
        place = _place(alike, probability, z)
        inside = np.interp((place - 0.5) / alike, shares, ordered)
        # Of few clusters the variance is found too small in some samples: whether there is an end is not said by it.
        fewer = np.minimum(rows, least) * shrunk
        end = _place(fewer, probability, z)
        return np.where(end < 1, -np.inf, np.where(end > fewer, np.inf, inside))

    return Spread(float(value), at, None, pulls, sample.labels)


def _place(rows: float | Doubles, probability: float, z: Doubles) -> Doubles:
    """Return which of the sorted values, counted from 1, is the limit of that many independent ones."""
    result: Doubles = (rows + 1) * special.betaincinv(
        (rows + 1) * probability, (rows + 1) * (1 - probability), special.ndtr(z)
    )
    return result


def _sorted(sample: Sample) -> tuple[Doubles, Doubles, npt.NDArray[np.intp] | slice]:
    """Return the values in order, the middle of the share that each stands for, and where each came from."""
    if sample.codes is None and sample.weights is None:
        return np.sort(sample.values), (np.arange(sample.n) + 0.5) / sample.n, slice(None)
    order = np.argsort(sample.values, kind="stable")
    if sample.codes is not None:
        order = np.lexsort((sample.codes, sample.values))
    ordered = sample.values[order]
    sizes = np.ones(sample.n) if sample.weights is None else sample.weights[order]
    return ordered, _middles(ordered, sizes, None if sample.codes is None else sample.codes[order]), order


def _middles(ordered: Doubles, sizes: Doubles, codes: npt.NDArray[np.intp] | None) -> Doubles:
    """Return the middle of each value's share; equal values of one cluster are one value that counts more."""
    ends = np.cumsum(sizes)
    if codes is None:
        result: Doubles = (ends - sizes / 2) / ends[-1]
        return result
    is_first = np.r_[True, (ordered[1:] != ordered[:-1]) | (codes[1:] != codes[:-1])]
    first = np.flatnonzero(is_first)
    last = np.r_[first[1:], len(ordered)] - 1
    starts = np.r_[0.0, ends[last][:-1]]
    middles = (starts + ends[last]) / 2 / ends[-1]
    each: Doubles = middles[np.cumsum(is_first) - 1]
    return each


def _between(ordered: Doubles, places: Doubles) -> Doubles:
    """Return values at places counted from 0, those between two neighbours interpolated."""
    lower = np.clip(np.floor(places).astype(np.intp), 0, len(ordered) - 1)
    upper = np.minimum(lower + 1, len(ordered) - 1)
    result: Doubles = ordered[lower] + (ordered[upper] - ordered[lower]) * (places - lower)
    return result


def _is_below(ordered: Doubles, value: float) -> Doubles:
    """Return for sorted values 1 below the quantile, 0 above, and one half at it."""
    return np.where(ordered < value, 1.0, np.where(ordered > value, 0.0, 0.5))


def _independent_rows(sample: Sample, below: Doubles, probability: float) -> tuple[float, Doubles, float]:
    """Return how many independent values would be as sure, how each cluster pulls the share below, and their number."""
    sizes = np.ones(sample.n) if sample.weights is None else sample.weights
    centre = float(sizes @ below) / float(sizes.sum())
    whole = sample.summed(sizes)
    pulls = jackknifed(sample.summed(sizes * (below - centre)), whole)
    variance = float(pulls @ pulls)
    most, clusters = as_many(sizes), as_many(whole)
    spread = centre * (1 - centre) or probability * (1 - probability)
    return min(most, max(spread / variance, 2.0)) if variance else clusters, pulls, clusters


def _rows_by_likeness(sample: Sample, shares: Doubles, order: npt.NDArray[np.intp] | slice) -> float:
    """Return how many independent values would be as sure, by how alike all values of a cluster are.

    From the ranks' intraclass correlation, which is found in few clusters too (Donner & Koval, Biometrics 36, 1980).
    """
    ranks = np.empty(sample.n)
    ranks[order] = shares
    counts = sample.summed(np.ones(sample.n))
    means = sample.summed(ranks) / counts
    between = float(counts @ (means - ranks.mean()) ** 2) / (sample.clusters - 1)
    within = max(float(ranks @ ranks - counts @ means**2), 0.0) / (sample.n - sample.clusters)
    size = (sample.n - sample.n / as_many(counts)) / (sample.clusters - 1)
    total = between + (size - 1) * within
    likeness = min(max((between - within) / total, 0.0), 1.0) if total > 0 else 1.0
    sizes = np.ones(sample.n) if sample.weights is None else sample.weights
    whole = sample.summed(sizes)
    return float(sizes.sum() ** 2 / ((1 - likeness) * (sizes @ sizes) + likeness * (whole @ whole)))


def _shrunk(z: Doubles, df: float) -> Doubles:
    """Return by how much fewer values stand for not knowing the variance: the square of z over Student's t."""
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.abs(z) < 1e-9, 1.0, z / student(z, df))
    result: Doubles = ratio**2
    return result
