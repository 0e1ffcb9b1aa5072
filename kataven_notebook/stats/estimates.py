"""What a sample says of all calls: a statistic with its interval, and how far it is from another sample's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.arguments import check_count, check_probability
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats import special
from kataven_notebook.stats.effects import Effect, effect_of, effect_of_spread
from kataven_notebook.stats.means import spread_of_ratio
from kataven_notebook.stats.quantiles import spread_of_quantile
from kataven_notebook.stats.resampling import name_of, spread_of_effect, spread_of_function
from kataven_notebook.stats.samples import Sample, is_missing, make_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from kataven_notebook.stats.spreads import Spread

    Statistic = str | Callable[[npt.NDArray[np.float64]], Any]

NAMES = ("auto", "median", "mean", "share", "rate")
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that a sample gives for all calls.

    Attributes
    ----------
    value : float
        The estimate; NaN without values.
    low, high : float
        The ends of its confidence interval; NaN where there is none, and `note` says why.
    n : int
        How many values.
    missing : int
        How many values were left out because they are missing or infinite, or have no weight or exposure.
    clusters : int
        How many clusters the values are of.
    statistic : str
        What was estimated: "median", "mean", "share", "rate", a quantile such as "p90", or a function's name.
    note : str or None
        Why there is no interval.
    p_value : float
        Of a difference or ratio, for no difference at all; NaN for one sample.
    """

    value: float
    low: float
    high: float
    n: int
    missing: int
    clusters: int
    statistic: str
    note: str | None = None
    p_value: float = float("nan")


@dataclass(frozen=True, slots=True)
class Options:
    """How estimates are made, checked.

    Attributes
    ----------
    confidence_level : float
        Between 0 and 1.
    resamples, seed : int
        For the bootstrap of functions.
    """

    confidence_level: float = 0.95
    resamples: int = 5_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        check_probability("confidence_level", self.confidence_level)
        for name, least in (("resamples", 2), ("seed", 0)):
            check_count(name, getattr(self, name), least=least)
            object.__setattr__(self, name, int(getattr(self, name)))

    @property
    def z(self) -> float:
        """The normal quantile of the interval's upper end."""
        return float(special.ndtri(0.5 + self.confidence_level / 2))


def estimate(
    values: npt.ArrayLike,
    statistic: Statistic = "auto",
    *,
    clusters: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    exposure_s: npt.ArrayLike | None = None,
    confidence_level: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> Estimate:
    """Return a statistic of some values with its confidence interval.

    How the intervals are made is said by `spread_of_ratio` (means, shares, rates), `spread_of_quantile` and
    `spread_of_function`; how often they hold the truth, by docs/comparisons.md.

    Parameters
    ----------
    values
        Numbers or booleans, missing ones among them.
    statistic
        "median", "mean", "share" (of booleans, or of 0 and 1), a quantile ("p90", "p99.9"), "rate" (per minute of
        `exposure_s`), a function from an array of one dimension to a number, or "auto": the share of booleans, the
        mean of whole numbers from 0, the median of all others.
    clusters
        For each value what names its cluster, such as its session: values of one cluster may be alike. None: each
        value stands for itself.
    weights
        For each value how many it stands for; not for functions.
    exposure_s
        For each value how many seconds it was counted in; for "rate".
    confidence_level
        Of the interval, between 0 and 1.
    resamples, seed
        For functions: how often the clusters are drawn again, and by which numbers.

    Raises
    ------
    ConfigurationError
        An option is out of range, or the values are not what the statistic is of.

    Examples
    --------
    >>> found = estimate([True] * 3 + [False] * 97)
    >>> found.statistic, found.value, round(found.low, 3), round(found.high, 3)
    ('share', 0.03, 0.01, 0.085)
    """
    options = Options(confidence_level, resamples, seed)
    chosen = check_statistic(statistic)
    if chosen == "auto":
        chosen = picked(values)
    sample = make_sample(values, clusters=clusters, weights=weights, exposure_s=exposure_s)
    return summed_up(sample, spread_of(sample, chosen, options), chosen, options)


def difference(
    values: npt.ArrayLike,
    others: npt.ArrayLike,
    statistic: Statistic = "auto",
    *,
    clusters: npt.ArrayLike | None = None,
    other_clusters: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    other_weights: npt.ArrayLike | None = None,
    exposure_s: npt.ArrayLike | None = None,
    other_exposure_s: npt.ArrayLike | None = None,
    effect: str = "difference",
    confidence_level: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> Estimate:
    """Return how much a statistic of some values is above that of others, with its interval and p-value.

    `n`, `missing` and `clusters` count both samples together, a cluster of both once. Clusters of the same name in
    both are the same: what their values have in common cancels, so that pairs are clusters of one value in each.

    Parameters
    ----------
    values, others
        Two samples; the second is subtracted, or divided by.
    statistic, confidence_level, resamples, seed
        As for `estimate`; "auto" looks at both samples.
    clusters, other_clusters, weights, other_weights, exposure_s, other_exposure_s
        As for `estimate`, for each sample.
    effect
        "difference" or "ratio".

    Raises
    ------
    ConfigurationError
        As for `estimate`.

    Examples
    --------
    >>> found = difference([1.0, 1.2, 0.9, 1.1], [2.0, 2.1, 1.9, 2.3], "mean")
    >>> round(found.value, 3), found.high < 0, found.p_value < 0.05
    (-1.025, True, True)
    """
    options = Options(confidence_level, resamples, seed)
    check_effect(effect)
    chosen = check_statistic(statistic)
    if chosen == "auto":
        chosen = picked(np.concatenate([np.ravel(np.asarray(each, dtype=object)) for each in (values, others)]))
    sample = make_sample(values, clusters=clusters, weights=weights, exposure_s=exposure_s)
    other = make_sample(others, clusters=other_clusters, weights=other_weights, exposure_s=other_exposure_s)
    sample, other = compared([sample, other])
    spreads = [spread_of(each, chosen, options) for each in (sample, other)]
    found = effect_between((sample, spreads[0]), (other, spreads[1]), chosen, effect, options)
    shared = len(set(sample.labels or ()) & set(other.labels or ()))
    return Estimate(
        found.value,
        found.low,
        found.high,
        sample.n + other.n,
        sample.missing + other.missing,
        sample.clusters + other.clusters - shared,
        name_of_statistic(chosen),
        found.note,
        found.p_value,
    )


def compared(samples: Sequence[Sample]) -> list[Sample]:
    """Return samples of one metric that know what the others tell of it.

    Whole numbers are counts only where all samples' are: zeros alone look like counts. And what is said of no events
    in a sample depends on how many of them clusters have elsewhere, of those that have any.
    """
    if not all(each.is_counts for each in samples if each.n):
        return [replace(each, is_counts=False) for each in samples]
    sums = np.concatenate([np.empty(0), *(each.summed(each.values) for each in samples)])
    some = sums[sums > 0]
    together = float(some.mean()) if len(some) else 1.0
    return [replace(each, together=together) for each in samples]


def check_effect(effect: object) -> None:
    """Refuse what is neither a difference nor a ratio.

    Raises
    ------
    ConfigurationError
        Which there are.
    """
    if effect not in ("difference", "ratio"):
        raise ConfigurationError(f"effect={effect!r}: pass 'difference' or 'ratio'")


def check_statistic(statistic: Any) -> Statistic:
    """Return a statistic, refused where there is none of that name.

    Raises
    ------
    ConfigurationError
        Which there are.
    """
    if callable(statistic):
        result: Statistic = statistic
        return result
    if isinstance(statistic, str) and (statistic in NAMES or probability_of(statistic) is not None):
        return statistic
    named = ", ".join(repr(each) for each in NAMES)
    raise ConfigurationError(f"statistic={statistic!r}: pass {named}, a quantile such as 'p90', or a function")


def probability_of(statistic: object) -> float | None:
    """Return the share of values below a quantile, by its name; None where it names none.

    Examples
    --------
    >>> probability_of("p90"), probability_of("median"), probability_of("mean"), probability_of("p0")
    (0.9, 0.5, None, None)
    """
    if statistic == "median":
        return 0.5
    found = _QUANTILE.fullmatch(statistic) if isinstance(statistic, str) else None
    probability = float(found[1]) / 100 if found else 0.0
    return probability if 0 < probability < 1 else None


def picked(values: npt.ArrayLike) -> str:
    """Return the statistic that values are best described by: "share", "mean" or "median".

    Examples
    --------
    >>> picked([True, None, False]), picked([0, 2, 1]), picked([0.3, 1.0])
    ('share', 'mean', 'median')
    """
    array = np.asarray(values)
    if array.dtype.kind == "b" or (array.dtype == object and _are_booleans(array.ravel())):
        return "share"
    sample = make_sample(values)
    return "mean" if sample.is_counts else "median"


def name_of_statistic(statistic: Statistic) -> str:
    """Return what a result calls a statistic."""
    return statistic if isinstance(statistic, str) else name_of(statistic)


def spread_of(sample: Sample, statistic: Statistic, options: Options) -> Spread:
    """Return a statistic of a sample with its limits.

    Parameters
    ----------
    sample
        The values.
    statistic
        Any but "auto".
    options
        For the bootstrap of functions.

    Raises
    ------
    ConfigurationError
        The values are not what the statistic is of.
    """
    if not isinstance(statistic, str):
        return spread_of_function(sample, statistic, resamples=options.resamples, seed=options.seed)
    probability = probability_of(statistic)
    return spread_of_ratio(sample, statistic) if probability is None else spread_of_quantile(sample, probability)


def summed_up(sample: Sample, spread: Spread, statistic: Statistic, options: Options) -> Estimate:
    """Return what is shown of an estimate."""
    low, high, note = spread.limits(options.z)
    name = name_of_statistic(statistic)
    return Estimate(spread.value, low, high, sample.n, sample.missing, sample.clusters, name, note)


def effect_between(
    measured: tuple[Sample, Spread],
    reference: tuple[Sample, Spread],
    statistic: Statistic,
    effect: str,
    options: Options,
) -> Effect:
    """Return the difference or ratio of two samples.

    Parameters
    ----------
    measured, reference
        Samples with their spreads.
    statistic, effect, options
        As for `difference`, checked.
    """
    samples = (measured[0], reference[0])
    if callable(statistic) and all(each.n > 1 for each in samples):
        shared = set(samples[0].labels or ()) & set(samples[1].labels or ())
        if shared:
            make = partial(spread_of_effect, resamples=options.resamples, seed=options.seed)
            return effect_of_spread(make(samples, statistic, effect), effect, options.z)
    return effect_of(measured[1], reference[1], effect, options.z)


def _are_booleans(array: npt.NDArray[Any]) -> bool:
    found = [each for each in array if not is_missing(each)]
    return bool(found) and all(isinstance(each, bool | np.bool_) for each in found)
