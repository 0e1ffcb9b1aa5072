"""The tables beside the calls (marks, moments, turns, words): checked, in words that name table, column and row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import as_text
from kataven_notebook.hints import no_frame
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

MAX_CHANNELS = 64
"""As many as a recording may have: a larger number is a mistake, and a list a channel would fill memory."""
# What transcripts call the two.
_ROLE_OF = {
    **dict.fromkeys(("agent", "assistant", "bot", "ai", "representative"), "agent"),
    **dict.fromkeys(("caller", "customer", "user", "client", "human"), "caller"),
}


def role_named(speaker: str) -> str:
    """Return the role that a speaker's name says, or an empty text.

    Examples
    --------
    >>> role_named("Assistant"), role_named("speaker_0")
    ('agent', '')
    """
    return _ROLE_OF.get(speaker.strip().casefold(), "")


def checked_table(
    frame: pd.DataFrame, session: Hashable, name: str, columns: tuple[str, ...], *, quiet: bool = False
) -> pd.DataFrame:
    """Return a table with the session and `columns` as columns, its times and channels as numbers; never the caller's.

    What is infinite is missing, as is an `end_s` before its `start_s`, which is told in one warning unless `quiet`.

    Raises
    ------
    FrameError
        It is no frame, lacks a column, or has something else than numbers as times or channels.
    """
    needed = (session, *columns)
    given: object = frame
    if not isinstance(given, pd.DataFrame):
        wanted = ", ".join(map(str, needed))
        raise FrameError(no_frame(f"{name}= takes a frame with the columns {wanted}: a DataFrame", given))
    lacking = [str(each) for each in needed if each not in [*frame.columns, *frame.index.names]]
    if lacking:
        have = ", ".join(str(each) for each in frame.columns) or "none"
        raise FrameError(f"{name}= lacks the column(s) {', '.join(lacking)}; it has {have}")
    flat = frame if all(each in frame.columns for each in needed) else frame.reset_index()
    used = [each for each in (*needed, "start_s", "end_s", "channel") if each in flat.columns]
    have_all: list[Hashable] = list(flat.columns)
    if twice := [str(each) for each in dict.fromkeys(used) if have_all.count(each) > 1]:
        raise FrameError(f"{name}= has the column(s) {', '.join(twice)} several times: rename all but one")
    numbers = {each: numbers_of(flat[each], name) for each in ("start_s", "end_s") if each in flat.columns}
    if "channel" in flat.columns:
        numbers["channel"] = channels_of(flat["channel"], name)
    if len(numbers.keys() & {"start_s", "end_s"}) == 2:
        if not quiet:
            _tell_of_ends(numbers["start_s"], numbers["end_s"], flat.index, name)
        numbers["end_s"] = np.where(numbers["end_s"] < numbers["start_s"], math.nan, numbers["end_s"])
    return flat.assign(**numbers)


def as_listed(table: pd.DataFrame | None, session: Hashable) -> list[str]:
    """Return the session ids of a table as the list of calls has them: text; empty where there is none."""
    if table is None:
        return []
    column = table[session] if session in table.columns else table.index.get_level_values(str(session))
    return as_text(pd.Series(column)).fillna("").tolist()


def tell_of_strangers(sessions: dict[str, list[str]], is_known: Callable[[str], bool]) -> None:
    """Warn of each table all of whose sessions the player's frame lacks: its ids may be of another form."""
    for name, ids in sessions.items():
        if ids and not any(map(is_known, dict.fromkeys(ids))):
            warn_caller(
                f"{name}= names no session that the player's frame has ({one_line(ids[0], most_chars=60)!r} is its "
                "first): nothing of it is shown; compare how the ids are written in both"
            )


def numbers_of(column: pd.Series[Any], table: str) -> Doubles:
    """Return a column of seconds, in whatever form, as numbers; NaN where there is none.

    Raises
    ------
    FrameError
        Something in it is no number of seconds; the message names the row.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in ("timedelta", "timedelta64"):
        column = pd.to_timedelta(column)
    if pd.api.types.is_timedelta64_dtype(column):
        seconds: Doubles = column.dt.total_seconds().to_numpy(dtype="float64", na_value=math.nan)
        return seconds
    # A time of day is no number of seconds, though pandas would make one of it.
    text = column.astype("string") if pd.api.types.is_datetime64_any_dtype(column) else column
    try:
        numbers = pd.to_numeric(text).to_numpy(dtype="float64", na_value=math.nan)
    except (TypeError, ValueError):
        raise _no_number(text, table) from None
    finite: Doubles = np.where(np.isfinite(numbers), numbers, math.nan)
    return finite


def channels_of(column: pd.Series[Any], table: str) -> Doubles:
    """Return a column of channels as whole numbers from 0; NaN where there is none.

    Raises
    ------
    FrameError
        Something in it is no channel; the message names the row.
    """
    numbers = numbers_of(column, table)
    wrong = np.flatnonzero(~np.isnan(numbers) & ((numbers % 1 != 0) | (numbers < 0) | (numbers >= MAX_CHANNELS)))
    if len(wrong):
        row, value = column.index[wrong[0]], numbers[wrong[0]]
        raise FrameError(
            f"{table}= says channel {value:g} in row {row!r}: channels are whole numbers from 0 to {MAX_CHANNELS - 1}"
        )
    return numbers


def holds_names(column: object) -> bool:
    """Return whether a column of channels holds names, such as "agent"."""
    if not isinstance(column, pd.Series):
        return False
    try:
        numbers_of(column, "words")
    except FrameError:
        return not pd.api.types.is_datetime64_any_dtype(column)
    return False


def grouped(
    frame: pd.DataFrame | None, session: Hashable, name: str, columns: tuple[str, ...]
) -> Callable[[str], list[dict[Hashable, Any]]]:
    """Return what gives the rows of one session as dicts: those with a start and, where it is needed, a channel.

    Raises
    ------
    FrameError
        As for `checked_table`.
    """
    if frame is None:
        return lambda _: []
    flat = checked_table(frame, session, name, columns)
    flat = flat.dropna(subset=[each for each in ("start_s", "channel") if each in columns])
    # Positions only: the rows of 10,000 calls become objects when one of them is opened.
    groups = flat.groupby(as_text(flat[session]), sort=False, observed=True).indices
    return lambda session_id: flat.iloc[groups.get(session_id, [])].to_dict("records")


def _tell_of_ends(start: Doubles, end: Doubles, rows: pd.Index, table: str) -> None:
    wrong = np.flatnonzero(end < start)
    if len(wrong):
        first = wrong[0]
        more = f", as in {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        warn_caller(
            f"{table}= has an end_s of {end[first]:g} before its start_s of {start[first]:g} in row {rows[first]!r}"
            f"{more}: such a row is shown at its start, without an end"
        )


def _no_number(column: pd.Series[Any], table: str) -> FrameError:
    what = "channels counted from 0" if column.name == "channel" else "seconds from the start of the call"
    for row, value in zip(column.index, column, strict=True):
        try:
            pd.to_numeric(pd.Series([value], dtype=object)).to_numpy(dtype="float64", na_value=math.nan)
        except (TypeError, ValueError):
            shown = one_line(str(value), most_chars=40)
            return FrameError(f"{table}= has {shown!r} in {column.name!r}, row {row!r}, that is no number: pass {what}")
    return FrameError(f"{table}= has something in {column.name!r} that is no number: pass {what}")
