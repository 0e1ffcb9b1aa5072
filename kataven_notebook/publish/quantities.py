"""The quantities of a report: which columns of numbers it shows, how they are called, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.metric_values import check_column
from kataven_notebook.numbers.definitions import ALL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

# What most people ask first, the first of them in the headline.
_USUAL = (
    *("response_latency_p50_s", "response_latency_p90_s", "interruptions_by_caller", "interruptions_by_agent"),
    *("dead_air_count", "silence_ratio", "talk_ratio", "duration_s"),
)
_MOST = 24


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column of numbers.

    Parameters
    ----------
    column
        Its name in the frame.
    label
        How people call it, without the unit.
    unit
        "s", "dB", "1" for shares and ratios, "count", or None where it isn't known.
    definition, source
        What it means and who says so; empty for columns of the user's own.
    """

    column: Any
    label: str
    unit: str | None
    definition: str = ""
    source: str = ""


def quantities(df: pd.DataFrame, metric: Any, prefix: str) -> list[Quantity]:
    """Return what a report shows: the columns that were asked for, else the usual ones that the frame has.

    Parameters
    ----------
    df
        The frame of calls.
    metric
        One column, several, or None for the usual ones.
    prefix
        Before the names of the package's columns.

    Raises
    ------
    FrameError
        A column is not there, or twice.
    ConfigurationError
        There are more than a page holds.

    Examples
    --------
    >>> frame = pd.DataFrame({"talk_ratio": [0.5], "score": [4]})
    >>> [each.label for each in quantities(frame, None, "")], quantities(frame, "score", "")[0].unit
    (["Agent's share of the talk"], None)
    """
    if metric is None:
        usual = [prefix + name for name in _USUAL]
        names: Sequence[Any] = [each for each in usual if each in df.columns and _has_numbers(df, each)]
    else:
        names = names_of(df, metric)
        for each in names:
            check_column(df, "metric", each)
    if len(names) > _MOST:
        raise ConfigurationError(f"metric= names {len(names):,} columns, and a page holds {_MOST}: name fewer")
    return [_quantity(each, prefix) for each in names]


def names_of(df: pd.DataFrame, given: Any) -> list[Any]:
    """Return the names of columns that an option holds, one or several, each once.

    Examples
    --------
    >>> names_of(pd.DataFrame(), "a"), names_of(pd.DataFrame(), ["a", "b", "a"])
    (['a'], ['a', 'b'])
    """
    known: list[Any] = df.columns.tolist()
    is_name = isinstance(given, tuple) and given in known
    if is_name or not isinstance(given, (list, tuple, pd.Index)):
        return [given]
    names: list[Any] = []
    for each in given:
        if not any(each == name for name in names):
            names.append(each)
    return names


def label_of(name: object) -> str:
    """Return how people call a column, without its unit.

    That a number of a call is a median need not be said: what is said is what was made of the calls.

    Examples
    --------
    >>> label_of("response_latency_p50_s"), label_of("interruptions_by_caller"), label_of("my_score")
    ('Response latency', 'Interruptions by the caller', 'My score')
    """
    from kataven_notebook.plots.labels import words_of  # noqa: PLC0415 - figures come when they are asked for

    text = words_of(str(name)).replace("\\$", "$").removesuffix(", median")
    return text[:1].upper() + text[1:]


def numbers_of(df: pd.DataFrame, column: Any) -> npt.NDArray[np.float64]:
    """Return a column's values for a drawing, NaN where they are missing, infinite or no number.

    Examples
    --------
    >>> numbers_of(pd.DataFrame({"a": [1, None, "x", float("inf")]}), "a").tolist()
    [1.0, nan, nan, nan]
    """
    values = pd.to_numeric(df[column], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    found: npt.NDArray[np.float64] = np.where(np.isfinite(values), values, np.nan)
    return found


def _has_numbers(df: pd.DataFrame, name: str) -> bool:
    column = df.loc[:, name]
    return isinstance(column, pd.Series) and pd.api.types.is_numeric_dtype(column.dtype) and bool(column.notna().any())


def _quantity(column: Any, prefix: str) -> Quantity:
    plain = str(column).removeprefix(prefix)
    known = ALL_COLUMNS.get(plain)
    if known is not None:
        return Quantity(column, label_of(plain), known.unit, known.definition, known.source)
    from kataven_notebook.plots.labels import unit_of  # noqa: PLC0415 - figures come when they are asked for

    return Quantity(column, label_of(plain), unit_of(plain) or None)
