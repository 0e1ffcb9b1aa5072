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
    rows, df = float(sample.n), np.inf
    pulls = None
    if sample.codes is not None or sample.weights is not None:
        below = np.empty(sample.n)
        below[order] = _is_below(ordered, value)
        independent, pulls, clusters = _independent_rows(sample, below, probability)
        # Clusters of one value each are rows with names.
        if sample.is_clustered or sample.weights is not None:
            rows = independent
        df = clusters - 1 if sample.is_clustered else np.inf

    def at(z: Doubles) -> Doubles:
        alike = rows if df == np.inf else rows * _shrunk(z, df)
        place = (alike + 1) * special.betaincinv(
            (alike + 1) * probability, (alike + 1) * (1 - probability), special.ndtr(z)
        )
        inside = np.interp((place - 0.5) / alike, shares, ordered)
        return np.where(place < 1, -np.inf, np.where(place > alike, np.inf, inside))

    return Spread(float(value), at, None, pulls, sample.labels)


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


def _shrunk(z: Doubles, df: float) -> Doubles:
    """Return by how much fewer values stand for not knowing the variance: the square of z over Student's t."""
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.abs(z) < 1e-9, 1.0, z / student(z, df))
    result: Doubles = ratio**2
    return result
