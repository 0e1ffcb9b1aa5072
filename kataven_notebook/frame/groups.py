"""Groups beside each other: medians, differences, and bootstrap confidence intervals for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.arguments import is_number
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import with_texts_spelled
from kataven_notebook.frame.options import check_count
from kataven_notebook.hints import did_you_mean, no_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

_NAN = float("nan")
_BATCH_VALUES = 400_000
"""Resampled values held at once: 3 MB, which a processor's cache holds; 16 MB took more than twice as long."""
_COLUMNS = ("n", "missing", "median", "median_low", "median_high", "difference", "difference_low", "difference_high")


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """One group beside the reference.

    Attributes
    ----------
    group : Hashable
        The group's name.
    n : int
        How many values; `missing` were left out because they are missing or infinite.
    missing : int
        See `n`.
    median, median_low, median_high : float
        The values' median and its confidence interval; NaN without values, the interval also with one.
    difference, difference_low, difference_high : float
        This median minus the reference group's, and its interval; NaN for the reference itself and
        where either group has no values, the interval also where either has one.
    """

    group: Hashable
    n: int
    missing: int
    median: float
    median_low: float
    median_high: float
    difference: float
    difference_low: float
    difference_high: float


def compare(
    groups: Mapping[Any, npt.ArrayLike],
    *,
    reference: Hashable = None,
    confidence_level: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> list[GroupComparison]:
    """Return each group's median and its difference to a reference group, with bootstrap intervals.

    Values of each group are drawn again with replacement, independently (`scipy.stats.bootstrap`), and the
    interval holds the middle of what the medians then are (percentile method, Efron & Tibshirani 1993;
    BCa's correction rests on a jackknife, which is not consistent for medians). An interval of the
    difference that leaves out 0 is what "v2 is faster" needs. Below some ten values a group, bootstrap
    intervals are too short; `n` stands beside them for that reason.

    Parameters
    ----------
    groups
        Name to values.
    reference
        The group that the others are compared with; the first one by default.
    confidence_level
        Between 0 and 1.
    resamples
        How often values are drawn again, at least 2; 5,000 keeps the interval's ends within about a hundredth of its
        length from run to run.
    seed
        The same seed gives the same intervals.

    Raises
    ------
    ConfigurationError
        There is no such reference group, or an option is out of range.

    Examples
    --------
    >>> v1, v2 = compare({"v1": [1.0, 1.2, 1.1, 1.3], "v2": [0.8, 0.9, 0.7, None]})
    >>> v2.n, v2.missing, round(v2.difference, 2), v2.difference_high < 0
    (3, 1, -0.35, True)
    """
    if not is_number(confidence_level) or not 0 < confidence_level < 1:
        raise ConfigurationError(f"confidence_level={confidence_level!r}: pass a number between 0 and 1")
    check_count("resamples", resamples, least=2)
    check_count("seed", seed, least=0)
    if reference is not None and reference not in list(groups):
        known = ", ".join(repr(name) for name in groups)
        raise ConfigurationError(f"reference={reference!r}: there is no such group, only {known or 'none at all'}")
    chosen = next(iter(groups), None) if reference is None else reference
    finite = {name: _finite(values) for name, values in groups.items()}
    draw = _Bootstrap(confidence_level, int(resamples), int(seed))
    result = []
    for name, values in finite.items():
        low, high = draw.interval([values], _median)
        difference, between = _NAN, (_NAN, _NAN)
        if name != chosen:
            difference = _middle(values) - _middle(finite[chosen])
            between = draw.interval([values, finite[chosen]], _median_difference)
        missing = np.size(np.asarray(groups[name], dtype=object)) - len(values)
        result.append(
            GroupComparison(
                group=name,
                n=len(values),
                missing=missing,
                median=_middle(values),
                median_low=low,
                median_high=high,
                difference=difference,
                difference_low=between[0],
                difference_high=between[1],
            )
        )
    return result


def compare_groups(
    df: pd.DataFrame,
    by: str,
    metric: str,
    *,
    reference: Any = None,
    confidence_level: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return each group's median of a metric and its difference to a reference, with intervals.

    "v2 is faster" is a statement when the whole interval of the difference lies below 0.

    Parameters
    ----------
    df
        A frame with the metric, as `metrics` returns it. Rows without a group are left out.
    by
        The column that names the groups.
    metric
        The column of numbers.
    reference
        The group that the others are compared with; by default the first in sorting order.
    confidence_level
        Of the intervals, between 0 and 1.
    resamples
        How often values are drawn again for the bootstrap (percentile method).
    seed
        The same seed gives the same intervals.

    Returns
    -------
    pandas.DataFrame
        One row a group: the `by` column, `n`, `missing` (Int64), `median`, `median_low`,
        `median_high`, `difference`, `difference_low`, `difference_high` (float64, in the metric's
        unit; missing for the reference itself, intervals also below two values).

    Raises
    ------
    FrameError
        There is no such column, or several, the metric holds no numbers, or the groups' column is the
        metric itself or has the name of a column of the result.
    ConfigurationError
        There is no such reference group, or an option is out of range.

    Examples
    --------
    >>> calls = pd.DataFrame({"version": ["v1"] * 4 + ["v2"] * 4, "latency_s": [2.0, 2.1, 1.9, 2.2, 1, 1.1, 0.9, 1.2]})
    >>> result = compare_groups(calls, by="version", metric="latency_s")
    >>> float(result["difference"].round(2).iloc[1]), bool(result["difference_high"].iloc[1] < 0)
    (-1.0, True)
    """
    _check_columns(df, by, metric)
    values = df[metric].astype("float64")
    names = with_texts_spelled(df[by])
    groups = {name: part.to_numpy() for name, part in values.groupby(names, sort=True, observed=True)}
    compared = compare(groups, reference=reference, confidence_level=confidence_level, resamples=resamples, seed=seed)
    # With the caller's dtype, so that categories keep their order and the table can be merged.
    columns: dict[str, Any] = {by: pd.Series([each.group for each in compared], dtype=df[by].dtype)}
    columns |= {name: pd.array([getattr(each, name) for each in compared], dtype="Int64") for name in ("n", "missing")}
    measures = ("median", "median_low", "median_high", "difference", "difference_low", "difference_high")
    columns |= {name: pd.Series([getattr(each, name) for each in compared], dtype="float64") for name in measures}
    return pd.DataFrame(columns)


def _check_columns(df: pd.DataFrame, by: Any, metric: Any) -> None:
    if not isinstance(df, pd.DataFrame):
        raise FrameError(no_frame("a DataFrame with the metric", df))
    for option, name in (("by", by), ("metric", metric)):
        if isinstance(name, (list, set, dict)):
            raise FrameError(f"{option}={name!r}: pass the name of one column")
        count = int(sum(each == name for each in df.columns))
        if count > 1:
            raise FrameError(f"there are {count} columns named {name!r}: rename all but one")
        if not count:
            listed = ", ".join(repr(each) for each in df.columns[:20])
            near = did_you_mean(name, df.columns)
            raise FrameError(f"there is no column {name!r}{near}; there are {listed or 'none'}")
    if by == metric:
        raise FrameError(f"by and metric are both {by!r}: groups of equal values leave nothing to compare")
    if by in _COLUMNS:
        raise FrameError(f"the result has a column {by!r} of its own: rename the column of the groups")
    dtype = df.dtypes[metric]
    if not pd.api.types.is_numeric_dtype(dtype):
        raise FrameError(f"the column {metric!r} is of dtype {dtype}, not numbers; pd.to_numeric makes numbers of text")


@dataclass(frozen=True, slots=True)
class _Bootstrap:
    confidence_level: float
    resamples: int
    seed: int

    def interval(self, samples: Sequence[Doubles], statistic: Callable[..., Any]) -> tuple[float, float]:
        """Return the interval's ends, NaN where a sample has fewer than two values."""
        from scipy import stats  # noqa: PLC0415 - scipy.stats takes longer to import than the whole package

        if min(len(sample) for sample in samples) < 2:
            return _NAN, _NAN
        found = stats.bootstrap(
            samples,
            statistic,
            n_resamples=self.resamples,
            batch=max(1, _BATCH_VALUES // max(len(sample) for sample in samples)),
            vectorized=True,
            confidence_level=self.confidence_level,
            method="percentile",
            random_state=np.random.default_rng(self.seed),
        )
        return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _finite(values: npt.ArrayLike) -> Doubles:
    """Return the values that are numbers: not None, NA, NaN or infinite."""
    array = np.ravel(np.asarray(values, dtype=object))
    numbers = np.where(pd.isna(array), _NAN, array).astype(np.float64)
    result: Doubles = numbers[np.isfinite(numbers)]
    return result


def _middle(values: Doubles) -> float:
    return float(np.median(values)) if len(values) else _NAN


def _median(values: Doubles, axis: int = -1) -> Doubles:
    return np.asarray(np.median(values, axis=axis))


def _median_difference(values: Doubles, others: Doubles, axis: int = -1) -> Doubles:
    return np.asarray(np.median(values, axis=axis) - np.median(others, axis=axis))
