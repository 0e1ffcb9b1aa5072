"""The numbers of a column that is compared, and the clusters, pairs and lengths of its rows."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.hints import did_you_mean, no_frame
from kataven_notebook.settings import configured_name
from kataven_notebook.stats.samples import Sample, are_counts

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.intp]

_KINDS = frozenset({"boolean", "integer", "floating", "mixed-integer-float", "decimal", "empty"})
"""What columns of objects may hold, as pandas calls it."""
AUTOMATIC = "auto"


class MetricValues:
    """A column's numbers, which samples are taken from.

    Parameters
    ----------
    df
        The frame.
    metric
        A column of numbers or booleans that is there once.
    codes
        For each row the number of its cluster, -1 where it has none; None where each row is its own.
    minutes
        For each row how long it was counted, for rates.

    Raises
    ------
    FrameError
        The column holds something else.
    """

    def __init__(self, df: pd.DataFrame, metric: Hashable, codes: Codes | None, minutes: Doubles | None) -> None:
        column = df[metric]
        self.is_boolean = _is_boolean(column)
        self._numbers = _numbers(column, metric)
        self._codes, self._minutes = codes, minutes
        self._kept = np.isfinite(self._numbers)
        if minutes is not None:
            self._kept &= np.isfinite(minutes) & (np.nan_to_num(minutes) > 0)
        self.is_counts = are_counts(self._numbers[self._kept])

    @property
    def statistic(self) -> str:
        """The statistic that describes the column best."""
        if self.is_boolean:
            return "share"
        return "mean" if self.is_counts else "median"

    def infinite(self, rows: Codes) -> int:
        """Return how many of some rows' values are infinite."""
        return int(np.isinf(self._numbers[rows]).sum())

    def sample(self, rows: Codes) -> Sample:
        """Return the sample that some rows hold."""
        chosen = rows[self._kept[rows]]
        missing = len(rows) - len(chosen)
        minutes = None if self._minutes is None else self._minutes[chosen]
        values = self._numbers[chosen]
        if self._codes is None:
            return Sample(values, missing, minutes=minutes, is_counts=self.is_counts)
        named = self._codes[chosen]
        # Rows of no cluster have a number of their own, which no other row has.
        named = np.where(named < 0, -1 - chosen, named)
        labels, codes = np.unique(named, return_inverse=True)
        return Sample(values, missing, codes.astype(np.intp), labels.tolist(), None, minutes, self.is_counts)


def _is_boolean(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_object_dtype(column):
        return pd.api.types.infer_dtype(column, skipna=True) == "boolean"
    return pd.api.types.is_bool_dtype(column)


def _numbers(column: pd.Series[Any], metric: Hashable) -> Doubles:
    dtype = column.dtype
    # Arrow's booleans are no numbers to pandas.
    is_numeric = pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    is_numeric = is_numeric and not pd.api.types.is_complex_dtype(dtype)
    is_object = pd.api.types.is_object_dtype(dtype) and pd.api.types.infer_dtype(column, skipna=True) in _KINDS
    if not is_numeric and not is_object:
        raise FrameError(f"the column {metric!r} is of dtype {dtype}, not numbers; {_way_to_numbers(metric, dtype)}")
    if is_object:
        column = column.astype(object).where(column.notna(), np.nan)
    result: Doubles = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return result


def _way_to_numbers(metric: Hashable, dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        return f"df[{metric!r}].astype(float) makes numbers of categories that are numbers"
    if pd.api.types.is_timedelta64_dtype(dtype) or str(dtype).startswith("duration"):
        return f"df[{metric!r}].dt.total_seconds() makes seconds of lengths of time"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "the difference of two times is a length of time, and .dt.total_seconds() makes seconds of it"
    return "pd.to_numeric makes numbers of text"


def check_column(df: pd.DataFrame, option: str, name: Any) -> None:
    """Refuse what names no column, or several.

    Parameters
    ----------
    df
        What should be a frame.
    option
        The argument that names the column, for messages.
    name
        The column.

    Raises
    ------
    FrameError
        What is there instead.
    """
    if not isinstance(df, pd.DataFrame):
        raise FrameError(no_frame("a DataFrame with the metric", df))
    if not isinstance(name, Hashable):
        raise FrameError(f"{option}={name!r}: pass the name of one column")
    count = int(sum(each == name for each in df.columns))
    if count > 1:
        raise FrameError(f"there are {count} columns named {name!r}: rename all but one")
    if not count:
        listed = ", ".join(repr(each) for each in df.columns[:20])
        raise FrameError(f"there is no column {name!r}{did_you_mean(name, df.columns)}; there are {listed or 'none'}")


def cluster_codes(df: pd.DataFrame, cluster: Any, session: Hashable, by: list[Any]) -> Codes | None:
    """Return the number of each row's cluster, -1 where none is named; None where each row is its own.

    Parameters
    ----------
    df
        The frame.
    cluster
        A column or index level, None, or "auto" for the sessions where they are named.
    session
        The column or index level of the sessions.
    by
        The columns that make groups: what is a group is no cluster within it.

    Raises
    ------
    FrameError
        There is no such column, or several.
    """
    if cluster is None:
        return None
    if isinstance(cluster, str) and cluster == AUTOMATIC:
        is_named = isinstance(session, Hashable) and (session in df.columns or session in df.index.names)
        # A name that the call gives has to be there; a frame may lack the configured one.
        is_given = session not in ("session_id", configured_name("session"))
        if not (is_named or is_given) or session in by or isinstance(df.columns, pd.MultiIndex):
            return None
        cluster = session
        return _codes(session_column(df, cluster), "session", cluster)
    return _codes(session_column(df, cluster, option="cluster"), "cluster", cluster)


def pair_codes(df: pd.DataFrame, paired: Hashable) -> Codes:
    """Return the number of each row's pair, -1 where it has none.

    Raises
    ------
    FrameError
        There is no such column, or several.
    """
    found = _codes(session_column(df, paired, option="paired"), "paired", paired)
    return np.arange(len(df)) if found is None else found


def _codes(column: pd.Series[Any], option: str, name: Hashable) -> Codes | None:
    try:
        codes, found = pd.factorize(column)
    except TypeError:
        raise FrameError(
            f"{option}={name!r}: the column holds values that can't be told apart, such as lists"
        ) from None
    if len(found) == int((codes >= 0).sum()):
        # Each row has its own, or none.
        return None
    result: Codes = codes.astype(np.intp)
    return result


def minutes_of(df: pd.DataFrame, column: str) -> Doubles:
    """Return how many minutes each row's call lasted.

    Parameters
    ----------
    df
        The frame.
    column
        Its column of seconds.

    Raises
    ------
    ConfigurationError
        There is no such column.
    """
    if column not in df.columns:
        raise ConfigurationError(
            f"statistic='rate' is per minute of call, and there is no column {column!r} with the seconds of each: "
            "audio() adds it, or rename yours; prefix= says what stands before the name"
        )
    check_column(df, "duration", column)
    return _numbers(df[column], column) / 60
