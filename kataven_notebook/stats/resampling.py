"""The bootstrap, for statistics of which nothing is known but a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.arguments import is_number
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats import special
from kataven_notebook.stats.means import ONE
from kataven_notebook.stats.spreads import Spread, as_many, skewed, skewness_of_sum, student

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.stats.samples import Codes, Sample
    from kataven_notebook.stats.spreads import Doubles

    Function = Callable[[Doubles], Any]

_MOST_LEFT_OUT = 1_000
"""With more clusters one of them matters too little for leaving each of them out."""


@dataclass(frozen=True, slots=True)
class _Draws:
    resamples: int
    seed: int
    name: str
    df: float


def spread_of_function(sample: Sample, function: Function, *, resamples: int, seed: int) -> Spread:
    """Return what a function says of the values, with bootstrap limits.

    Whole clusters are drawn again with replacement, and the limits hold the middle of what the function then says,
    corrected for bias and for what is lopsided (BCa, Efron & Tibshirani 1993, chapter 14), a little wider where there
    are few clusters (Hesterberg, The American Statistician 69, 2015). For few clusters that is too narrow for smooth
    functions, and limits from leaving out one cluster after the other (the jackknife) for others: the wider limit of
    both is taken, up to 1,000 clusters.

    Parameters
    ----------
    sample
        The values.
    function
        From an array of one dimension to a number.
    resamples
        How often the clusters are drawn.
    seed
        The same seed draws the same clusters.

    Raises
    ------
    ConfigurationError
        The function returns no number, or the values have weights.
    """
    if sample.weights is not None:
        raise ConfigurationError("a function of the values knows nothing of weights: pass the name of a statistic")
    if not sample.n:
        return Spread(float("nan"), note="there are no values")
    value = applied(function, sample.values)
    count = sample.clusters
    if count < 2:
        return Spread(value, note=ONE.format("cluster" if sample.n > 1 else "value"))
    if not np.isfinite(value):
        return Spread(value, note=f"{name_of(function)} returns {value}")
    rows = _rows_by_cluster(sample)

    df = as_many(sample.summed(np.ones(sample.n))) - 1

    def of_clusters(chosen: Codes) -> float:
        return applied(function, sample.values[_rows_of(rows, chosen)])

    return _spread(value, of_clusters, sample.labels, count, _Draws(resamples, seed, name_of(function), df))


def spread_of_effect(
    samples: tuple[Sample, Sample], function: Function, effect: str, *, resamples: int, seed: int
) -> Spread:
    """Return a function's difference or ratio between two samples that have clusters in common.

    Each cluster is drawn with its values in both samples, so that what is common to them cancels.

    Parameters
    ----------
    samples
        The sample and the reference, each with labels.
    function, resamples, seed
        As for `spread_of_function`.
    effect
        "difference" or "ratio".

    Raises
    ------
    ConfigurationError
        The function returns no number.
    """
    labels = list(dict.fromkeys([*(samples[0].labels or []), *(samples[1].labels or [])]))
    rows = []
    for sample in samples:
        own = dict(zip(sample.labels or [], _rows_by_cluster(sample), strict=True))
        rows.append([np.atleast_1d(own.get(label, np.empty(0, np.intp))) for label in labels])

    def effect_of(chosen: Codes) -> float:
        taken = [sample.values[_rows_of(each, chosen)] for sample, each in zip(samples, rows, strict=True)]
        if not len(taken[0]) or not len(taken[1]):
            return float("nan")
        value, other = (applied(function, each) for each in taken)
        if effect == "difference":
            return value - other
        return value / other if other else float("nan")

    count = len(labels)
    value = effect_of(np.arange(count))
    sizes = np.array([[len(each) for each in own] for own in rows], dtype=np.float64)
    df = as_many((sizes / sizes.sum(axis=1, keepdims=True)).sum(axis=0)) - 1
    return _spread(value, effect_of, labels, count, _Draws(resamples, seed, name_of(function), df))


def _spread(
    value: float, effect: Callable[[Codes], float], labels: list[Any] | None, count: int, options: _Draws
) -> Spread:
    """Return the spread of what is made of some clusters, given by their numbers."""
    random = np.random.default_rng(options.seed)
    results = np.array([effect(random.integers(0, count, count)) for _ in range(options.resamples)])
    drawn = np.sort(results[np.isfinite(results)])
    if not np.isfinite(value) or len(drawn) < max(2, len(results) / 2):
        return Spread(value, note=f"{options.name} returns no number for most of the resamples")
    # Half of those that are equal lie below.
    below = (np.searchsorted(drawn, value, "left") + np.searchsorted(drawn, value, "right")) / 2
    bias = float(special.ndtri(np.clip(below / len(drawn), 1 / len(drawn), 1 - 1 / len(drawn))))
    pulls = _pulls(effect, count)
    lopsided = 0.0 if pulls is None else float((pulls**3).sum() / (pulls @ pulls) ** 1.5) / 6

    around = None if pulls is None else skewed(value, float(np.sqrt(pulls @ pulls)), skewness_of_sum(pulls), options.df)

    def at(z: Doubles) -> Doubles:
        wider = student(z, options.df) * np.sqrt(count / (count - 1))
        stretched = 1 - lopsided * (bias + wider)
        with np.errstate(divide="ignore"):
            corrected = np.where(stretched > 0, (bias + wider) / stretched, np.sign(z) * np.inf)
        inside = np.quantile(drawn, special.ndtr(bias + corrected))
        if around is not None:
            inside = np.where(z < 0, np.minimum(inside, around(z)), np.maximum(inside, around(z)))
        # What was drawn says nothing of what is rarer than one of its draws.
        return np.where(special.ndtr(-np.abs(wider)) < 1 / (len(drawn) + 1), np.sign(z) * np.inf, inside)

    return Spread(value, at, None, None, labels)


def _pulls(effect: Callable[[Codes], float], count: int) -> Doubles | None:
    """Return how each cluster pulls the estimate, from leaving out one after the other (jackknife)."""
    if not 2 < count <= _MOST_LEFT_OUT:
        return None
    each = np.arange(count)
    left_out = np.array([effect(np.delete(each, at)) for at in each])
    if not np.isfinite(left_out).all():
        return None
    pulls = (left_out.mean() - left_out) * np.sqrt((count - 1) / count)
    return pulls if pulls.any() else None


def applied(function: Function, values: Doubles) -> float:
    """Return what a function says of some values.

    Raises
    ------
    ConfigurationError
        It is no number.
    """
    result = function(values)
    if not is_number(result) and np.ndim(result) == 0 and isinstance(result, np.ndarray):
        result = result.item()
    if not is_number(result):
        raise ConfigurationError(
            f"statistic={name_of(function)} returns {type(result).__name__}: it has to return one number for an array"
        )
    return float(result)


def name_of(function: Function) -> str:
    """Return what a function is called."""
    return str(getattr(function, "__name__", type(function).__name__))


def _rows_by_cluster(sample: Sample) -> Codes | list[Codes]:
    """Return the rows of each cluster; one array where each has one."""
    if sample.codes is None:
        return np.arange(sample.n)
    order = np.argsort(sample.codes, kind="stable")
    if not sample.is_clustered:
        return order
    return np.split(order, np.cumsum(np.bincount(sample.codes, minlength=sample.clusters))[:-1])


def _rows_of(rows: Codes | list[Codes], chosen: Codes) -> Codes:
    if isinstance(rows, list):
        return np.concatenate([rows[each] for each in chosen])
    return rows[chosen]
