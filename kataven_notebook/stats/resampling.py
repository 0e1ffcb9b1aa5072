"""The bootstrap, for statistics of which nothing is known but a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from kataven_notebook.arguments import is_number
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats.means import ONE
from kataven_notebook.stats.spreads import Spread, student

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from kataven_notebook.stats.samples import Sample
    from kataven_notebook.stats.spreads import Doubles

    Function = Callable[[Doubles], Any]


def spread_of_function(sample: Sample, function: Function, *, resamples: int, seed: int) -> Spread:
    """Return what a function says of the values, with bootstrap limits.

    Whole clusters are drawn again with replacement, and the limits hold the middle of what the function then says
    (percentile method, Efron & Tibshirani 1993), a little wider where there are few clusters (Hesterberg, The
    American Statistician 69, 2015).

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
    random = np.random.default_rng(seed)
    drawn = [applied(function, sample.values[_rows_of(rows, _draw(count, random))]) for _ in range(resamples)]
    return _spread(value, drawn, count, sample.labels, function)


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

    def effect_of(chosen: npt.NDArray[np.intp]) -> float:
        taken = [sample.values[_rows_of(each, chosen)] for sample, each in zip(samples, rows, strict=True)]
        if not len(taken[0]) or not len(taken[1]):
            return float("nan")
        value, other = (applied(function, each) for each in taken)
        if effect == "difference":
            return value - other
        return value / other if other else float("nan")

    random = np.random.default_rng(seed)
    count = len(labels)
    value = effect_of(np.arange(count))
    drawn = [effect_of(_draw(count, random)) for _ in range(resamples)]
    return _spread(value, drawn, count, labels, function)


def _spread(value: float, results: list[float], count: int, labels: list[Any] | None, function: Function) -> Spread:
    drawn = np.sort([each for each in results if np.isfinite(each)])
    if not np.isfinite(value) or len(drawn) < max(2, len(results) / 2):
        return Spread(value, note=f"{name_of(function)} returns no number for most of the resamples")

    def at(z: Doubles) -> Doubles:
        wider = special.ndtr(student(z, count - 1) * np.sqrt(count / (count - 1)))
        inside = np.quantile(drawn, wider)
        # What was drawn says nothing of what is rarer than one of its draws.
        least = 1 / (len(drawn) + 1)
        return np.where(wider < least, -np.inf, np.where(wider > 1 - least, np.inf, inside))

    return Spread(value, at, None, None, labels)


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


def _rows_by_cluster(sample: Sample) -> npt.NDArray[np.intp] | list[npt.NDArray[np.intp]]:
    """Return the rows of each cluster; one array where each has one."""
    if sample.codes is None:
        return np.arange(sample.n)
    order = np.argsort(sample.codes, kind="stable")
    if not sample.is_clustered:
        return order
    return np.split(order, np.cumsum(np.bincount(sample.codes, minlength=sample.clusters))[:-1])


def _draw(count: int, random: np.random.Generator) -> npt.NDArray[np.intp]:
    return random.integers(0, count, count)


def _rows_of(
    rows: npt.NDArray[np.intp] | list[npt.NDArray[np.intp]], chosen: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    if isinstance(rows, list):
        return np.concatenate([rows[each] for each in chosen])
    return rows[chosen]
