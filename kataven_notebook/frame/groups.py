"""Groups beside each other: an estimate of each, differences or ratios, and confidence intervals for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import check_prefix
from kataven_notebook.frame.factors import Groups, find_groups
from kataven_notebook.frame.metric_values import (
    AUTOMATIC,
    MetricValues,
    check_column,
    cluster_codes,
    minutes_of,
    pair_codes,
)
from kataven_notebook.stats.effects import Effect, holm
from kataven_notebook.stats.estimates import (
    Options,
    check_effect,
    check_statistic,
    compared,
    effect_between,
    spread_of,
    summed_up,
)
from kataven_notebook.stats.pairs import effect_of_pairs

if TYPE_CHECKING:
    from collections.abc import Hashable

    from kataven_notebook.stats.estimates import Estimate, Statistic
    from kataven_notebook.stats.samples import Sample
    from kataven_notebook.stats.spreads import Spread

_NAN = float("nan")
_OWN = ("metric", "statistic", "n", "missing", "clusters", "estimate", "estimate_low", "estimate_high")
_ENDING = ("p_value", "p_adjusted", "note")


@with_configured_names
def compare_groups(
    df: pd.DataFrame,
    by: Any,
    metric: Any,
    *,
    reference: Any = None,
    statistic: Statistic = "auto",
    effect: str = "difference",
    cluster: Any = AUTOMATIC,
    paired: Any = None,
    confidence_level: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
    session: str = "session_id",
    prefix: str = "",
) -> pd.DataFrame:
    """Return what a metric is in each group, and how far that is from a reference, with intervals and p-values.

    "v2 is faster" is a statement when the whole interval of the difference lies below 0. How the intervals are made,
    and how often they hold the truth, is in docs/comparisons.md.

    Parameters
    ----------
    df
        A frame with the metric, as `metrics` or `turns` returns it.
    by
        The column that names the groups, or a list of columns whose combinations are the groups. Rows without a
        group are left out.
    metric
        The column of numbers or booleans, or a list of them. Values that are missing or infinite are left out, and
        counted as `missing`.
    reference
        The group that the others are compared with; by default the first in sorting order that has rows. For several
        columns in `by`, one value for each is one group for all (`("v1", 9)`), and a mapping of some of the columns is
        the group beside each: `{"prompt": "v1"}` compares v2 at 9 o'clock with v1 at 9 o'clock.
    statistic
        "median"; "mean"; "share" (of booleans, or of 0 and 1); a quantile, as "p90" or "p99.9"; "rate", per minute of
        call, from the column `duration_s`; or a function from an array of one dimension to a number, which the
        bootstrap is for. "auto" takes the share of booleans, the mean of whole numbers from 0 (counts), and the
        median of all others; the column `statistic` says which.
    effect
        "difference", in the metric's unit, or "ratio", which needs a reference that is surely above 0.
    cluster
        The column or index level that says which rows may be alike, such as "caller_id" for callers who call again:
        a row more of the same cluster is not a call more. "auto" takes the session column, where there is one: turns
        of one call, and calls that stand there twice, are one cluster. None: each row stands for itself.
    paired
        A column that names pairs, such as a caller or a script that was tried with both prompts: the difference is
        that within pairs, of those with values in both groups. Pairs are the clusters then.
    confidence_level
        Of the intervals, between 0 and 1. It is not corrected for their number; `p_adjusted` is.
    resamples, seed
        For functions: how often clusters are drawn again, and by which numbers. All other intervals are computed.
    session
        The column or index level of session ids, for `cluster`.
    prefix
        What stands before `duration_s`, for "rate".

    Returns
    -------
    pandas.DataFrame
        One row a group and metric, all groups of a metric together. The columns of `by`, of their dtypes; `metric`
        and `statistic` (string); `n`, `missing` and `clusters` (Int64); `estimate`, `estimate_low` and
        `estimate_high` (float64, in the metric's unit, a rate per minute); `difference`, `difference_low` and
        `difference_high` (or `ratio`, `ratio_low`, `ratio_high`), `p_value` and `p_adjusted` (float64, missing for
        the reference itself); `note` (string): why an interval is missing, or what was left out. With `paired` also
        `pairs` (Int64): of how many the difference is.

        `p_value` is for no difference at all: below 0.05 where an interval of 95 % leaves it out. `p_adjusted` is
        corrected for all comparisons of the table by Holm's method (1979). An interval that would have no length or
        no end is missing: a median of counts from 0 to 0 proves nothing.

    Raises
    ------
    FrameError
        There is no such column, or several; the metric holds no numbers; or a column of `by` is the metric itself,
        holds what can't be told apart, or has the name of a column of the result.
    ConfigurationError
        There is no such reference group or statistic, the values are not what the statistic is of, or an option is
        out of range.

    Examples
    --------
    >>> calls = pd.DataFrame({"version": ["v1"] * 6 + ["v2"] * 6, "barge_ins": [2, 3, 1, 2, 4, 2, 0, 1, 0, 0, 1, 0]})
    >>> found = compare_groups(calls, by="version", metric="barge_ins").iloc[1]
    >>> found["statistic"], float(found["difference"].round(2)), bool(found["difference_high"] < 0)
    ('mean', -2.0, True)
    """
    columns, measured = _checked(df, by, metric)
    options = Options(confidence_level, resamples, seed)
    check_effect(effect)
    check_prefix(prefix)
    chosen = check_statistic(statistic)
    if paired is not None and not (isinstance(cluster, str) and cluster == AUTOMATIC):
        raise ConfigurationError(
            f"cluster={cluster!r}: with paired= the pairs are the clusters, so pass one of the two"
        )
    codes = cluster_codes(df, cluster, session, columns) if paired is None else pair_codes(df, paired)
    minutes = minutes_of(df, prefix + "duration_s") if chosen == "rate" else None
    groups = find_groups(df, columns)
    against = groups.references(reference)
    table = _Table(effect, is_paired=paired is not None)
    for name in measured:
        values = MetricValues(df, name, codes, minutes)
        used = values.statistic if isinstance(chosen, str) and chosen == AUTOMATIC else chosen
        try:
            _compare(table, name, values, groups, against, used, options)
        except ConfigurationError as error:
            raise ConfigurationError(f"metric {name!r}: {error}") from None
    return table.frame(groups.names, len(measured))


def _checked(df: pd.DataFrame, by: Any, metric: Any) -> tuple[list[Any], list[Any]]:
    """Return the columns that make groups and those that are compared."""
    columns, measured = ((list(each) if isinstance(each, list) else [each]) for each in (by, metric))
    for option, names in (("by", columns), ("metric", measured)):
        if not names:
            raise FrameError(f"{option}=[]: pass the name of a column")
        for name in names:
            check_column(df, option, name)
        if len(set(names)) < len(names):
            raise FrameError(f"{option}={names!r} names a column twice")
    for name in columns:
        if name in measured:
            raise FrameError(f"by and metric are both {name!r}: groups of equal values leave nothing to compare")
        effects = [each + end for each in ("difference", "ratio") for end in ("", "_low", "_high")]
        if name in (*_OWN, *effects, *_ENDING, "pairs"):
            raise FrameError(f"the result has a column {name!r} of its own: rename the column of the groups")
    return columns, measured


@dataclass(slots=True)
class _Table:
    """The result's rows, as they come."""

    effect: str
    is_paired: bool
    metrics: list[str] = field(default_factory=list)
    estimates: list[Estimate] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    pairs: list[int | None] = field(default_factory=list)
    notes: list[str | None] = field(default_factory=list)

    def frame(self, names: pd.DataFrame, count: int) -> pd.DataFrame:
        """Return the rows below the groups' names, which stand there once a metric."""
        where = np.tile(np.arange(len(names)), count)
        left = names.iloc[where].reset_index(drop=True)
        found: dict[str, Any] = {"metric": pd.array(self.metrics, dtype="string")}
        found["statistic"] = pd.array([each.statistic for each in self.estimates], dtype="string")
        for name in ("n", "missing", "clusters"):
            found[name] = pd.array([getattr(each, name) for each in self.estimates], dtype="Int64")
        if self.is_paired:
            found["pairs"] = pd.array(self.pairs, dtype="Int64")
        for end, name in (("", "value"), ("_low", "low"), ("_high", "high")):
            found["estimate" + end] = np.array([getattr(each, name) for each in self.estimates], dtype=np.float64)
        for end, name in (("", "value"), ("_low", "low"), ("_high", "high")):
            found[self.effect + end] = np.array([getattr(each, name) for each in self.effects], dtype=np.float64)
        found["p_value"] = np.array([each.p_value for each in self.effects], dtype=np.float64)
        found["p_adjusted"] = holm(found["p_value"])
        found["note"] = pd.array(self.notes, dtype="string")
        right = pd.DataFrame(found)
        result = pd.concat([left, right], axis=1)
        result.columns = pd.Index([*left.columns, *right.columns], tupleize_cols=False)
        return result


def _compare(
    table: _Table,
    metric: Hashable,
    values: MetricValues,
    groups: Groups,
    against: list[int | None],
    statistic: Statistic,
    options: Options,
) -> None:
    """Write the rows of one metric."""
    samples = compared([values.sample(rows) for rows in groups.rows])
    # The mean of booleans is a share, and has its limits: none beyond 1.
    computed = "share" if values.is_boolean and statistic == "mean" else statistic
    spreads = [spread_of(sample, computed, options) for sample in samples]
    for at, (sample, spread) in enumerate(zip(samples, spreads, strict=True)):
        estimated = summed_up(sample, spread, statistic, options)
        found, pairs = Effect(_NAN), None
        reference = against[at]
        if reference is None:
            found = Effect(_NAN, note="there is no reference group beside this one")
        elif reference != at:
            both = (sample, spread), (samples[reference], spreads[reference])
            found, pairs = _effect(table, both, computed, options)
        infinite = values.infinite(groups.rows[at])
        left_out = f"{infinite:,} infinite values are left out" if infinite else None
        notes = dict.fromkeys(each for each in (estimated.note, found.note, left_out) if each is not None)
        table.metrics.append(str(metric))
        table.estimates.append(estimated)
        table.effects.append(found)
        table.pairs.append(pairs)
        table.notes.append("; ".join(notes) or None)


def _effect(
    table: _Table,
    both: tuple[tuple[Sample, Spread], tuple[Sample, Spread]],
    statistic: Statistic,
    options: Options,
) -> tuple[Effect, int | None]:
    if table.is_paired:
        return effect_of_pairs(both[0][0], both[1][0], statistic, table.effect, options)
    return effect_between(*both, statistic, table.effect, options), None
