"""From the frame to findings: estimates of all calls, and groups beside their reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.factors import find_groups
from kataven_notebook.frame.groups import compare_groups
from kataven_notebook.frame.metric_values import AUTOMATIC, MetricValues, check_column, cluster_codes, minutes_of
from kataven_notebook.publish.findings import Finding, Span
from kataven_notebook.publish.quantities import names_of
from kataven_notebook.stats.estimates import Options, check_statistic, spread_of, summed_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kataven_notebook.frame.factors import Groups
    from kataven_notebook.publish.quantities import Quantity
    from kataven_notebook.publish.shown import Texts

MOST_GROUPS = 40


@dataclass(frozen=True, slots=True)
class Comparing:
    """How groups are compared; each as `compare_groups` takes it.

    Parameters
    ----------
    statistic, reference, cluster
        What is made of the calls, the group that others are compared with, and the column of the clusters.
    level
        Of the intervals, between 0 and 1.
    session, prefix
        The column of session ids, and what stands before the names of the package's columns.
    """

    statistic: Any = AUTOMATIC
    reference: Any = None
    cluster: Any = AUTOMATIC
    level: float = 0.95
    session: Any = "session_id"
    prefix: str = ""

    @property
    def counts_clusters(self) -> bool:
        """Whether a cluster is a call, and not a caller or whatever the user says."""
        return isinstance(self.cluster, str) and self.cluster == AUTOMATIC


@dataclass(frozen=True, slots=True, eq=False)
class NamedGroups:
    """The groups of a frame, and how each is called on the page.

    Parameters
    ----------
    columns
        The columns that make them.
    found
        The groups in sorting order.
    names
        One for each, all different.
    """

    columns: list[Any]
    found: Groups
    names: list[str]

    def by_row(self, count: int) -> list[str | None]:
        """Return the name of each row's group, None where it has none."""
        rows: list[str | None] = [None] * count
        for name, positions in zip(self.names, self.found.rows, strict=True):
            for each in positions:
                rows[each] = name
        return rows

    def keys(self) -> list[Any]:
        """Return what stands for each group on an axis: numbers and times as they are, of all others the name."""
        column = self.found.names.iloc[:, 0]
        is_time = pd.api.types.is_datetime64_any_dtype(column.dtype)
        is_number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        return column.tolist() if len(self.columns) == 1 and (is_number or is_time) else list(self.names)


def named_groups(df: pd.DataFrame, by: Any, texts: Texts) -> NamedGroups | None:
    """Return the groups that a report compares, None where none are asked for.

    Parameters
    ----------
    df
        The calls.
    by
        One column, several, or None.
    texts
        Makes names fit to be shown.

    Raises
    ------
    FrameError
        A column is not there, or they make more groups than a page holds.

    Examples
    --------
    >>> from kataven_notebook.publish.shown import Texts
    >>> frame = pd.DataFrame({"prompt": ["v2", "v1", None], "hour": [9.0, 10.0, 9.0]})
    >>> named_groups(frame, ["prompt", "hour"], Texts([], is_masked=False)).names
    ['v1, 10', 'v2, 9']
    """
    if by is None:
        return None
    columns = names_of(df, by)
    if not columns:
        raise FrameError(f"by={by!r}: pass the name of a column")
    for each in columns:
        check_column(df, "by", each)
    found = find_groups(df, columns)
    if len(found.rows) > MOST_GROUPS:
        raise FrameError(
            f"by={by!r} makes {len(found.rows):,} groups, and a page holds {MOST_GROUPS} at most: choose a column with "
            "fewer, or some of the rows"
        )
    names: list[str] = []
    for parts in found.names.itertuples(index=False, name=None):
        shown = ", ".join(texts.plain(_spelled(each)) for each in parts)
        alike = sum(each == shown or each.startswith(f"{shown} (") for each in names)
        names.append(f"{shown} ({alike + 1})" if alike else shown)
    return NamedGroups(columns, found, names)


def _spelled(value: Any) -> str:
    """Return a group's value as people write it: whole numbers and days without what says nothing."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return str(value.date())
    return str(value)


def overall(df: pd.DataFrame, chosen: Sequence[Quantity], texts: Texts, options: Comparing) -> list[Finding]:
    """Return each quantity over all calls with its interval.

    Raises
    ------
    FrameError, ConfigurationError
        As in `compare_groups`.
    """
    codes = cluster_codes(df, options.cluster, options.session, [])
    statistic = check_statistic(options.statistic)
    minutes = minutes_of(df, options.prefix + "duration_s") if statistic == "rate" else None
    how = Options(confidence_level=options.level)
    found = []
    for each in chosen:
        values = MetricValues(df, each.column, codes, minutes)
        used = values.statistic if isinstance(statistic, str) and statistic == AUTOMATIC else statistic
        sample = values.sample(np.arange(len(df)))
        one = summed_up(sample, spread_of(sample, used, how), used, how)
        span = Span(one.value, one.low, one.high)
        note = texts.plain(one.note or "", most_chars=200)
        calls = one.clusters if options.counts_clusters else one.n
        found.append(Finding(each, "", one.statistic, one.n, one.missing, calls, span, note=note))
    return found


def compared(
    df: pd.DataFrame, groups: NamedGroups, chosen: Sequence[Quantity], texts: Texts, options: Comparing
) -> list[Finding]:
    """Return each quantity of each group beside its reference, as `compare_groups` finds it.

    Groups without a row, which categories may have, are left out.

    Raises
    ------
    FrameError, ConfigurationError
        As in `compare_groups`.
    """
    table = compare_groups(
        df,
        groups.columns,
        [each.column for each in chosen],
        reference=options.reference,
        statistic=options.statistic,
        cluster=options.cluster,
        confidence_level=options.level,
        session=options.session,
        prefix=options.prefix,
    )
    against = groups.found.references(options.reference)
    if options.reference is not None and all(each is not None and not len(groups.found.rows[each]) for each in against):
        raise ConfigurationError(
            f"reference={options.reference!r}: no call is in this group, so that none can be compared with it: choose "
            "another"
        )
    count = len(groups.names)
    found = []
    for at, row in enumerate(table.to_dict("records")):
        group = at % count
        if len(groups.found.rows[group]):
            reference = against[group]
            name = groups.names[reference] if reference is not None and reference != group else ""
            calls = int(row["clusters" if options.counts_clusters else "n"])
            found.append(_finding(chosen[at // count], (groups.names[group], name), calls, row, texts))
    return found


def _finding(quantity: Quantity, names: tuple[str, str], calls: int, row: dict[Any, Any], texts: Texts) -> Finding:
    spans = [Span(*(row[name + end] for end in ("", "_low", "_high"))) for name in ("estimate", "difference")]
    return Finding(
        quantity,
        names[0],
        str(row["statistic"]),
        int(row["n"]),
        int(row["missing"]),
        calls,
        spans[0],
        spans[1],
        reference=names[1],
        p_adjusted=row["p_adjusted"],
        note="" if pd.isna(row["note"]) else texts.plain(row["note"], most_chars=200),
    )
