"""From a frame to the groups that a figure shows: their names, their numbers, and which rows are of one session."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.hints import did_you_mean, no_frame
from kataven_notebook.redact import encodable
from kataven_notebook.settings import configured_name
from kataven_notebook.stats.estimates import Options, compared, effect_between, picked, spread_of, summed_up
from kataven_notebook.stats.samples import make_sample

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

    from kataven_notebook.stats.effects import Effect
    from kataven_notebook.stats.estimates import Estimate

    Doubles = npt.NDArray[np.float64]

FEWEST_FOR_A_LINE = 3
"""Numbers or times of fewer groups are drawn as names are: a line through two says nothing more."""
_MAX_NAMED = 12
_TIMES = (dt.date, np.datetime64, pd.Period)  # `datetime` and pandas' timestamps are dates too


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a frame's rows.

    Attributes
    ----------
    key : Hashable
        Its value in the column of groups.
    name : str
        The same as a figure shows it.
    numbers : numpy.ndarray
        `(n,)` float64, finite.
    rows : int
        How many rows it has, those without a finite number included.
    sessions : numpy.ndarray or None
        `(n,)` codes; values of one session have the same. None where no session is known.
    """

    key: Any
    name: str
    numbers: Doubles
    rows: int
    sessions: npt.NDArray[np.intp] | None = None


def groups_of(
    df: pd.DataFrame,
    by: Hashable | None,
    metric: Hashable,
    *,
    session: Hashable | None = None,
    largest: int | None = None,
) -> list[Group]:
    """Return a frame's groups in order, each with its finite values; rows without a group are left out.

    Parameters
    ----------
    df
        One row a call, or several.
    by
        The column of groups; None makes one group of all rows.
    metric
        The column of numbers.
    session
        The column that names the session, where there is one.
    largest
        How many groups there may be.

    Raises
    ------
    FrameError
        A column is not there, or holds no numbers, or there are more groups.
    """
    check_frame(df)
    for column in (metric, session):
        if column is not None:
            check_column(df, column)
    values = numbers_of(df[metric])
    codes = None if session is None else codes_of(df[session])
    if by is None:
        return [_group("all calls", "all calls", values, codes, np.arange(len(df)))]
    return [_group(key, name, values, codes, rows) for key, name, rows in rows_of(df, by, largest)]


def estimates_of(
    groups: Sequence[Group], statistic: str, reference: int | None = None
) -> list[tuple[Estimate, Effect | None]]:
    """Return each group's estimate, and how far it is from the group at a place, as `compare_groups` says it.

    None in place of a difference to itself, or where one of both has no values.
    """
    options = Options()
    samples = compared([make_sample(each.numbers, clusters=each.sessions) for each in groups])
    spreads = [spread_of(each, statistic, options) for each in samples]
    found: list[tuple[Estimate, Effect | None]] = []
    for at, both in enumerate(zip(samples, spreads, strict=True)):
        effect = None
        if reference is not None and at != reference and both[0].n and samples[reference].n:
            base = samples[reference], spreads[reference]
            effect = effect_between(both, base, statistic, "difference", options)
        found.append((summed_up(*both, statistic, options), effect))
    return found


def rows_of(df: pd.DataFrame, by: Hashable, largest: int | None = None) -> list[tuple[Any, str, npt.NDArray[np.intp]]]:
    """Return each group's value, its name, and the positions of its rows, groups in order.

    Raises
    ------
    FrameError
        The column is not there, or can't name groups, or there are more groups than `largest`.
    """
    check_column(df, by)
    column = _readable(df[by], by)
    keys = _keys(column, by, largest)
    rows = column.groupby(column, observed=True, sort=False).indices
    names = numbered([name_of(key) for key in keys])
    return [(key, name, np.asarray(rows[key], dtype=np.intp)) for key, name in zip(keys, names, strict=True)]


def _group(
    key: Any, name: str, values: Doubles, codes: npt.NDArray[np.intp] | None, rows: npt.NDArray[np.intp]
) -> Group:
    kept = rows[np.isfinite(values[rows])]
    return Group(key, name, values[kept], len(rows), None if codes is None else codes[kept])


def _readable(column: pd.Series[Any], by: Hashable) -> pd.Series[Any]:
    """Return the column of groups with texts that any font can show, and rows counted from 0."""
    groups = column.reset_index(drop=True)
    if pd.api.types.is_object_dtype(groups):
        groups = pd.Series([encodable(name) if isinstance(name, str) else name for name in groups], dtype=object)
    try:
        groups.nunique()
    except TypeError:
        raise FrameError(f"the column {by!r} holds lists or other things that can't name a group") from None
    return groups


def _keys(column: pd.Series[Any], by: Hashable, largest: int | None) -> list[Any]:
    count = int(column.nunique())
    if largest is not None and count > largest:
        raise FrameError(
            f"by={by!r} makes {count:,} groups, and {largest:,} at most fit a figure: choose a column with fewer, "
            "such as the hour or the day of a time, or some of the rows"
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        there = set(column.dropna().unique())
        return [name for name in column.cat.categories if name in there]
    keys = column.dropna().unique().tolist() if not _is_time(column) else list(column.dropna().unique())
    try:
        # Names of several types can't be compared, so the type comes first.
        return sorted(keys, key=lambda name: (str(type(name)), name))
    except TypeError:
        return sorted(keys, key=lambda name: (str(type(name)), str(name)))


def _is_time(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column))


def codes_of(column: pd.Series[Any]) -> npt.NDArray[np.intp]:
    """Return a number for each session; rows that name none have nothing in common."""
    texts = column.astype(object).where(column.notna().to_numpy(), None)
    codes = np.asarray(pd.factorize(texts.map(lambda value: None if value is None else str(value)))[0], dtype=np.intp)
    nameless = np.flatnonzero(codes < 0)
    codes = codes.copy()
    codes[nameless] = codes.max(initial=-1) + 1 + np.arange(len(nameless))
    return codes


def places_of(groups: Sequence[Group]) -> Doubles | None:
    """Return where groups lie on an axis of numbers, or of days since 1970 for times; None where they are names.

    Categories in another order than their numbers' are names, and so are all where one number is infinite.
    """
    keys = [group.key for group in groups]
    if len(keys) < FEWEST_FOR_A_LINE:
        return None
    if all(isinstance(key, int | float | np.number) and not isinstance(key, bool) for key in keys):
        places = np.asarray([float(key) for key in keys])
        return places if np.isfinite(places).all() and (np.diff(places) > 0).all() else None
    if are_times(groups):
        from matplotlib.dates import date2num  # noqa: PLC0415 - an extra

        return np.asarray(date2num([as_written(key) for key in keys]), dtype=np.float64)  # type: ignore[no-untyped-call] # it has none
    return None


def are_times(groups: Sequence[Group]) -> bool:
    """Whether groups are days, hours or other points in time."""
    return bool(groups) and all(isinstance(group.key, _TIMES) for group in groups)


def as_written(key: Any) -> dt.datetime:
    """Return a point in time as its own zone's clock shows it, since an axis has one clock."""
    stamp = key.start_time if isinstance(key, pd.Period) else pd.Timestamp(key)
    return stamp.tz_localize(None).to_pydatetime(warn=False)


def name_of(key: Any) -> str:
    """Return a group's name as people write it.

    Examples
    --------
    >>> name_of(7.0), name_of(pd.Timestamp("2026-03-02")), name_of("v1"), name_of("")
    ('7', '2026-03-02', 'v1', '(empty)')
    """
    if isinstance(key, float | np.floating):
        return f"{float(key):.12g}"
    if isinstance(key, dt.datetime | np.datetime64):
        stamp = pd.Timestamp(key)
        return str(stamp.date()) if stamp == stamp.normalize() else str(stamp.floor("s"))
    text = " ".join(str(key).split()) or "(empty)"
    # Two dollars would begin and end a formula.
    return text.replace("$", r"\$") if text.count("$") > 1 else text


def numbered(names: Sequence[str]) -> list[str]:
    """Return the names with a number behind those that are the same, so that groups stay apart."""
    counts, seen = Counter(names), Counter[str]()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return result


def check_frame(df: object) -> None:
    """Refuse what is no frame.

    Raises
    ------
    FrameError
        It is none.
    """
    if not isinstance(df, pd.DataFrame):
        raise FrameError(no_frame("a DataFrame with a row a call", df))


def check_column(df: pd.DataFrame, column: Hashable) -> None:
    """Refuse a column that is not there, or there several times.

    Raises
    ------
    FrameError
        It is so.
    """
    found = sum(_is(name, column) for name in df.columns)
    if found != 1:
        known = [repr(str(name)) for name in df.columns]
        listed = ", ".join(known[:_MAX_NAMED]) + (f" and {len(known) - _MAX_NAMED} more" * (len(known) > _MAX_NAMED))
        what = f"there are {found} columns" if found else "there is no column"
        near = "" if found else did_you_mean(column, df.columns)
        raise FrameError(f"{what} {column!r}{near}: metrics() adds numbers; here are {listed or 'none'}")


def column_named(df: pd.DataFrame, name: Hashable, prefix: str) -> Hashable:
    """Return the frame's name of a column: with the prefix where there is one so named, else as it is."""
    with_prefix = f"{prefix}{name}" if isinstance(name, str) else name
    return with_prefix if any(_is(each, with_prefix) for each in df.columns) else name


def session_of(df: pd.DataFrame, session: Hashable | None) -> Hashable | None:
    """Return the column that names the session: the one that is asked for, else the configured or usual one if there.

    Raises
    ------
    FrameError
        The column that is asked for is not there.
    """
    if session is not None:
        check_column(df, session)
        return session
    usual = configured_name("session") or "session_id"
    return usual if sum(_is(name, usual) for name in df.columns) == 1 else None


def _is(name: object, column: object) -> bool:
    # Arrays and frames compare by element.
    return isinstance(column, str | int | float | tuple | dt.date) and type(name == column) is bool and name == column


def statistic_of(column: pd.Series[Any]) -> str:
    """Return the statistic that a column is best described by: "share" of booleans, "mean" of counts, else "median".

    Raises
    ------
    FrameError
        It holds something that is no number.
    """
    are_booleans = pd.api.types.infer_dtype(column.to_numpy(), skipna=True) == "boolean"
    return picked(column.to_numpy() if are_booleans else numbers_of(column))


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN or NA."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))  # type: ignore[call-overload] # of any type


def numbers_of(column: pd.Series[Any]) -> Doubles:
    """Return a column's values as float64, NaN where they are missing.

    Raises
    ------
    FrameError
        It holds something that is no number.
    """
    # Times are numbers of nanoseconds to pandas, and to nobody else.
    if not pd.api.types.is_datetime64_any_dtype(column) and not pd.api.types.is_timedelta64_dtype(column):
        with contextlib.suppress(TypeError, ValueError):
            return np.asarray(pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan))
    raise FrameError(
        f"column {column.name!r} holds no numbers, it is of dtype {column.dtype}: draw another, or convert it"
    )
