"""Means, shares and rates, which are ratios of sums over clusters, and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats import special
from kataven_notebook.stats.spreads import Spread, as_many, jackknifed, skewed, skewness_of_sum, student

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.stats.samples import Sample
    from kataven_notebook.stats.spreads import Doubles

ALIKE = "all are {:.6g}: nothing says how much others would differ"
ONE = "there is one {}: it says nothing of how much they differ"


def spread_of_ratio(sample: Sample, statistic: str) -> Spread:
    """Return a mean, a share or a rate with its limits.

    The estimate is a sum over clusters divided by another one: of values and of their number, or of counts and of
    minutes. Its variance is what it changes by when clusters are left out (the jackknife, Cochran 1977, chapter 6),
    with one degree of freedom less than there are clusters, those of unequal sizes counted as fewer (Kish 1965).
    What limits it gets depends on what the values can be:

    - a share: Wilson's score limits (1927), with the number of values that independent rows would need to be as
      sure (Korn & Graubard 1998); those hold for 0 of 200 too;
    - counts: limits of the logarithm, since counts are the more variable the larger they are; where all are 0 those
      of a Poisson count (Garwood 1936), with each cluster counted once, and as many events in it as clusters with
      any have in the other groups;
    - other means: Hall's limits, which know of the values' skewness (see `skewed`).

    Parameters
    ----------
    sample
        The values, for "rate" with their minutes.
    statistic
        "mean", "share" or "rate".

    Raises
    ------
    ConfigurationError
        A share of what is neither 0 nor 1, or a rate without exposure.
    """
    if statistic == "share" and not np.isin(sample.values, (0.0, 1.0)).all():
        other = sample.values[~np.isin(sample.values, (0.0, 1.0))][0]
        raise ConfigurationError(
            f"statistic='share' is of booleans, or of 0 and 1, and there is a value {other:g}: compare first, as in "
            "df['slow'] = df['latency_s'] > 2, or pass statistic='mean'"
        )
    if statistic == "rate" and sample.minutes is None:
        raise ConfigurationError("statistic='rate' is per minute of call: pass how long each was, in seconds")
    if not sample.n:
        return Spread(float("nan"), note="there are no values")
    sizes, sums = _sums(sample, statistic)
    size = float(sizes.sum())
    if not size:
        return Spread(float("nan"), note="all weights are 0")
    value = float(sums.sum()) / size
    count = sample.clusters
    if count < 2:
        return Spread(value, note=ONE.format("cluster" if sample.n > 1 else "value"))
    pulls = jackknifed(sums - value * sizes, sizes)
    variance = float(pulls @ pulls)
    # What is left of rounding is no variance.
    variance = 0.0 if variance <= (1e-12 * value) ** 2 else variance
    at = _limits(sample, statistic, value, pulls if variance else np.zeros(count), sizes)
    if at is None:
        return Spread(value, note=ALIKE.format(value))
    return Spread(value, at, None, pulls, sample.labels, is_linear=statistic != "share", sizes=sizes / size)


def _sums(sample: Sample, statistic: str) -> tuple[Doubles, Doubles]:
    """Return each cluster's denominator and numerator."""
    sizes = np.ones(sample.n) if sample.weights is None else sample.weights
    sums = sample.values * sizes
    if statistic == "rate" and sample.minutes is not None:
        sizes = sizes * sample.minutes
    return sample.summed(sizes), sample.summed(sums)


def _limits(
    sample: Sample, statistic: str, value: float, pulls: Doubles, sizes: Doubles
) -> Callable[[Doubles], Doubles] | None:
    variance, df = float(pulls @ pulls), as_many(sizes) - 1
    if statistic == "share":
        return _of_share(sample, value, variance, df)
    is_counts = sample.is_counts
    if is_counts and not value:
        rows = float(sample.n if sample.weights is None else sample.weights.sum())
        return _of_no_events(max(rows / sample.clusters, sample.together) / float(sizes.sum()))
    if not variance:
        return None
    error = float(np.sqrt(variance))
    if is_counts:
        return lambda z: value * np.exp(student(z, df) * error / value)
    skewness = skewness_of_sum(pulls)
    if value > 0 and (sample.values >= 0).all():
        # Few values of a long tail look less skewed than they are; what can't be negative mostly has this much.
        skewness = max(skewness, 1.25 * error / value)
    return skewed(value, error, skewness, df)


def _of_share(sample: Sample, value: float, variance: float, df: float) -> Callable[[Doubles], Doubles]:
    weights = sample.weights
    rows = float(sample.n) if weights is None else float(weights.sum() ** 2 / (weights @ weights))
    is_clustered, binomial = sample.is_clustered, value * (1 - value)
    if not binomial:
        # Nothing says how alike the rows of a cluster are: as if they were all the same.
        rows = min(rows, float(sample.clusters))
    elif is_clustered or weights is not None:
        rows = min(rows, binomial / variance) if variance else rows

    def at(z: Doubles) -> Doubles:
        # Where each row is a cluster of its own the variance is known from the share itself.
        t = student(z, df) if is_clustered else z
        added = t * t / rows
        root = np.sqrt(binomial * added + added * added / 4)
        result: Doubles = (value + added / 2 + np.sign(z) * root) / (1 + added)
        # Rounding leaves traces beside 0 and 1.
        return np.clip(np.where(np.isclose(result, value, rtol=0, atol=1e-15), value, result), 0.0, 1.0)

    return at


def _of_no_events(unit: float) -> Callable[[Doubles], Doubles]:
    """Return limits where no event was counted, in units of the events of one cluster."""

    def at(z: Doubles) -> Doubles:
        return np.where(z > 0, -np.log(special.ndtr(-z)) * unit, 0.0)

    return at
