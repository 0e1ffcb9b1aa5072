"""Blind listening: a frame as a listener sees it who is to know nothing of some columns.

What is hidden is not in the frame that the list, its filter, its search and the page are made of. Calls are named by
their place in the order, as an id may tell when a call was, or what it is; texts that name the hidden value of their
own call have three dots in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_list_like

from kataven_notebook.desk.call_list import check_columns
from kataven_notebook.desk.listening_order import RANDOM, ListeningOrder, checked_order
from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import AUDIO, ERROR, STATUS, as_text
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.frame.side_tables import as_listed
from kataven_notebook.hints import did_you_mean
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Iterable, Sequence

TABLES = ("marks", "moments", "turns", "words")
_OWN_COLUMNS = (STATUS, ERROR, AUDIO, "duration_s", "agent_channel", "channels")
_TEXT_COLUMNS = ("label", "kind", "text", "detail", "speaker")
# In fewer calls two columns may agree by chance.
_FEWEST_CALLS = 8


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame as it is shown to a listener.

    Parameters
    ----------
    frame
        What the list is made of.
    names
        What each of its rows is called, in place of its session id; None where the ids are shown.
    ids_tell
        Whether an id names what is hidden, so that the page must not have the ids either.
    hidden
        The columns and tables that are hidden.
    is_worst_first
        Whether the moments are listed, and the first call is opened, by how bad they are: that would tell.
    """

    frame: pd.DataFrame
    names: tuple[str, ...] | None = None
    ids_tell: bool = False
    hidden: tuple[Hashable, ...] = ()
    is_worst_first: bool = True
    _order: ListeningOrder | None = None
    _told: dict[str, re.Pattern[str]] = field(default_factory=dict)

    def keep(self) -> None:
        """Write the order down, beside the labels."""
        if self._order is not None:
            self._order.keep()

    def tables(self, tables: dict[str, pd.DataFrame | None], session: Hashable) -> dict[str, pd.DataFrame | None]:
        """Return several tables by their names, each as `table` does."""
        return {name: self.table(name, each, session) for name, each in tables.items()}

    def table(self, name: str, table: pd.DataFrame | None, session: Hashable) -> pd.DataFrame | None:
        """Return a table beside the calls as it is shown: None where it is hidden, and no text that tells."""
        if name in self.hidden:
            return None
        lacks_sessions = not isinstance(table, pd.DataFrame) or session not in [*table.columns, *table.index.names]
        if not self._told or table is None or lacks_sessions:
            return table
        ids = as_listed(table, session)
        columns = [each for each in _TEXT_COLUMNS if list(table.columns).count(each) == 1]
        return table.assign(**{each: _without(table[each], ids, self._told) for each in columns})


def heard(
    frame: pd.DataFrame,
    *,
    session: Hashable,
    prefix: str = "",
    columns: Sequence[Hashable] = (),
    blind: Sequence[Hashable] = (),
    order: str | None = None,
    seed: int | None = None,
    save_to: str | os.PathLike[str] | None = None,
) -> Heard:
    """Return a frame as its listener sees it; the parameters are those of `player`.

    Raises
    ------
    FrameError
        `blind` is no list, names what is not there, or a column that `columns` shows.
    ConfigurationError
        The order or the seed is none, or the file beside the labels holds another order.
    OSError
        That file can't be read.
    """
    hidden = _checked(frame, session, blind, columns)
    kind, seed = checked_order(order, seed, is_blind=bool(hidden))
    if not hidden and kind != RANDOM:
        return Heard(frame)
    sessions = session_column(frame, session)
    check_columns(frame, columns)
    ids = [encodable(each) for each in as_text(sessions).fillna("").tolist()]
    listed = dict.fromkeys(filter(None, ids))
    if kind == RANDOM:
        drawn = ListeningOrder(listed, seed=seed, labels=save_to, session_column=str(session))
        places = drawn.places
        rows = sorted(range(len(ids)), key=lambda row: places.get(ids[row], len(places) + 1))
    else:
        drawn, places, rows = None, {each: place for place, each in enumerate(listed, 1)}, list(range(len(ids)))
    about: dict[str, Any] = {"hidden": hidden, "is_worst_first": False, "_order": drawn}
    if not hidden:
        return Heard(frame.iloc[rows], **about)
    _tell_of_doubles(frame, columns, hidden)
    told = _told(frame, ids, [each for each in hidden if each in frame.columns and each != session])
    tell = session in hidden or any(pattern.search(each) for each, pattern in told.items())
    kept = {session, *columns, *(f"{prefix}{each}" for each in _OWN_COLUMNS)} - ({*hidden} - {session})
    shown = frame.loc[:, [each in kept for each in frame.columns]].copy(deep=False)
    for name in (*columns, f"{prefix}{ERROR}"):
        if name in shown.columns and shown.columns.is_unique and name != session:
            shown[name] = _without(shown[name], ids, told)
    names = tuple(f"Call {places[ids[row]]:,}" if ids[row] else "" for row in rows)
    return Heard(shown.iloc[rows], names, tell, _told=told, **about)


def _checked(
    frame: pd.DataFrame, session: Hashable, blind: Sequence[Hashable], columns: Sequence[Hashable]
) -> tuple[Hashable, ...]:
    if not is_list_like(blind) or isinstance(blind, dict):
        raise FrameError(f"blind={blind!r} is no list: pass the names of columns, such as blind=['prompt']")
    hidden = tuple(blind)
    if not hidden:
        return ()
    session_column(frame, session)
    have: list[Hashable] = [*frame.columns, *(each for each in frame.index.names if each is not None), *TABLES]
    absent = [each for each in hidden if each not in have]
    if absent:
        names = ", ".join(map(str, frame.columns))
        raise FrameError(
            f"blind= names {', '.join(map(str, absent))}, which the frame lacks"
            f"{did_you_mean(absent[0], have)}; it has {names}, and {', '.join(TABLES)} can be hidden too"
        )
    if is_list_like(columns) and (both := [str(each) for each in columns if each in hidden]):
        raise FrameError(f"columns= shows {', '.join(both)}, which blind= hides: name it in one of them")
    return hidden


def _told(frame: pd.DataFrame, ids: Sequence[str], hidden: Iterable[Hashable]) -> dict[str, re.Pattern[str]]:
    """Return for each session what finds a hidden value of its rows in a text; numbers would be found in any."""
    values: dict[str, set[str]] = {}
    for name in hidden:
        for position in [i for i, each in enumerate(frame.columns) if each == name]:
            for session_id, value in zip(ids, frame.iloc[:, position].tolist(), strict=True):
                if isinstance(value, str) and value.strip() and not _is_number(value):
                    values.setdefault(session_id, set()).add(value.strip())
    made: dict[frozenset[str], re.Pattern[str]] = {}
    return {each: made.setdefault(frozenset(found), _pattern(found)) for each, found in values.items()}


def _pattern(values: set[str]) -> re.Pattern[str]:
    longest_first = sorted(values, key=lambda each: (-len(each), each))
    return re.compile("|".join(map(_word, longest_first)), re.IGNORECASE)


def _word(value: str) -> str:
    """Return a pattern of a value that is no part of a longer word or number: "v1" is in "call_v1b", not in "v12"."""
    before, after = (r"\d" if each.isdigit() else r"[^\W\d_]" for each in (value[0], value[-1]))
    # An id has other signs where a name has spaces.
    parts = [re.escape(each) for each in re.split(r"[\s_-]+", value) if each]
    return f"(?<!{before})" + (r"[\s_-]*".join(parts) or re.escape(value)) + f"(?!{after})"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+\d.,:\s]+", text) is not None


def _without(column: pd.Series[Any], ids: Sequence[str], told: dict[str, re.Pattern[str]]) -> pd.Series[Any]:
    """Return a column with three dots where a text names a hidden value of its call."""
    before = column.astype(object).tolist()
    after = [_hide(value, told.get(each)) for value, each in zip(before, ids, strict=True)]
    if all(one is other for one, other in zip(before, after, strict=True)):
        return column
    return pd.Series(after, index=column.index, dtype=object, name=column.name)


def _hide(value: object, pattern: re.Pattern[str] | None) -> object:
    if pattern is None or not isinstance(value, str) or not pattern.search(value):
        return value
    return pattern.sub("…", value)


def _tell_of_doubles(frame: pd.DataFrame, columns: Sequence[Hashable], hidden: Sequence[Hashable]) -> None:
    """Warn of shown columns whose every value stands for one value of a hidden one."""
    names: list[Hashable] = list(frame.columns)
    for name in columns:
        for other in hidden:
            if names.count(name) == 1 and names.count(other) == 1 and _stands_for(frame[name], frame[other]):
                warn_caller(f"columns= shows {name!s}, which tells {other!s} of every call: hide it too")


def _stands_for(shown: pd.Series[Any], hidden: pd.Series[Any]) -> bool:
    both = pd.DataFrame({"shown": as_text(shown.astype(object)), "hidden": as_text(hidden.astype(object))}).dropna()
    # A column of different values, such as times, tells by itself nothing of a group.
    if len(both) < _FEWEST_CALLS or both["shown"].nunique() > len(both) / 2 or both["hidden"].nunique() < 2:
        return False
    return len(both.drop_duplicates()) == both["shown"].nunique()
