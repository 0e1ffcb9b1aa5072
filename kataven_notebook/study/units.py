"""What is drawn and counted, calls or moments: each once, however many rows name it, and in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import as_text
from kataven_notebook.frame.sessions import find_sessions, session_column
from kataven_notebook.notices import counted, warn_caller
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

MOMENT = "moment_id"
_BETWEEN, _NOTHING = "\x1f", "\x1e"  # separators of units and records: no text that a person typed holds one


@dataclass(frozen=True, slots=True)
class Units:
    """The calls, or the moments, of a frame.

    Attributes
    ----------
    kind
        "call" or "moment".
    ids
        Each unit once, in order of appearance, as text.
    rows
        For each unit the position of its first row.
    """

    kind: str
    ids: list[str]
    rows: npt.NDArray[np.intp]

    @property
    def are_moments(self) -> bool:
        """Whether units are moments."""
        return self.kind == "moment"

    def named(self, count: int) -> str:
        """Return a number of units in words: "1 call", "1,200 moments"."""
        return counted(count, self.kind)


def find_units(frame: pd.DataFrame, session: str, name: str) -> Units:
    """Return the units of a frame: its moments where it has a column `moment_id`, else its calls.

    Rows without an id are left out, with a warning.

    Parameters
    ----------
    frame
        The caller's.
    session
        The name of the session column.
    name
        The argument that the frame was passed as, for the warning.

    Raises
    ------
    FrameError
        No frame, or no such column, or one that holds no ids.
    """
    is_of_moments = isinstance(frame, pd.DataFrame) and MOMENT in frame.columns
    column = MOMENT if is_of_moments else session
    sessions = find_sessions(frame, column)
    first = sessions.first_rows()
    is_id = np.array([isinstance(each, str) and bool(each.strip()) for each in sessions.ids], dtype=np.bool_)
    if not is_id.all():
        count = int((~is_id[sessions.codes]).sum())
        warn_caller(f"{name} has {count:,} row(s) without an id in {column!r}: they are left out")
    ids = [encodable(each) for each, kept in zip(sessions.ids, is_id, strict=True) if kept]
    return Units("moment" if is_of_moments else "call", ids, first[is_id])


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows in groups.

    Attributes
    ----------
    codes
        For each row its group; -1 where a column of the groups is missing.
    keys
        One row a group: the columns of the groups, as the frame has them, in sorting order.
    """

    codes: npt.NDArray[np.intp]
    keys: pd.DataFrame

    def text(self, position: int) -> str:
        """Return a group's name as text, the same whatever other groups there are."""
        return _BETWEEN.join(str(each) for each in self.keys.iloc[position])


def find_groups(
    frame: pd.DataFrame, by: Hashable | Sequence[Hashable], *, keep_missing: bool, taken: Sequence[str] = ()
) -> Groups:
    """Return the groups of rows that one column, or several together, make.

    Parameters
    ----------
    frame
        The rows.
    by
        A column's name, or a list of names.
    keep_missing
        Whether rows without a value are a group of their own.
    taken
        Names that the result of the caller has itself.

    Raises
    ------
    FrameError
        There is no such column, or several of that name, or it has a name of a column of the result.
    """
    names = as_names("by", by)
    if clash := [each for each in names if each in taken]:
        raise FrameError(f"the result has a column {clash[0]!r} of its own: rename that column of the groups")
    columns = [session_column(frame, each, option="by").reset_index(drop=True) for each in names]
    if not columns:
        return Groups(np.zeros(len(frame), dtype=np.intp), pd.DataFrame(index=range(1)))
    texts = [as_text(each) for each in columns]
    joined = texts[0].fillna(_NOTHING)
    for each in texts[1:]:
        joined = joined + _BETWEEN + each.fillna(_NOTHING)
    is_missing = np.logical_or.reduce([each.isna().to_numpy() for each in columns])
    # Values that can't be ordered among each other are groups all the same.
    codes, _ = pd.factorize(joined.where(keep_missing | ~pd.Series(is_missing), other=pd.NA), use_na_sentinel=True)
    firsts = np.unique(codes[codes >= 0], return_index=True)[1]
    positions = np.flatnonzero(codes >= 0)[firsts]
    keys = pd.DataFrame({name: column.iloc[positions].array for name, column in zip(names, columns, strict=True)})
    order = _sorting(keys, joined.iloc[positions])
    ranks = np.empty(len(order) + 1, dtype=np.intp)
    ranks[order], ranks[-1] = np.arange(len(order)), -1
    return Groups(ranks[codes], keys.iloc[order].reset_index(drop=True))


def _sorting(keys: pd.DataFrame, texts: pd.Series[Any]) -> npt.NDArray[np.intp]:
    try:
        ordered = keys.reset_index(drop=True).sort_values(list(keys.columns), kind="stable")
    except TypeError:  # texts beside numbers
        plain = texts.reset_index(drop=True)
        ordered = plain.mask(plain == _NOTHING).sort_values(kind="stable").to_frame()
    return ordered.index.to_numpy(dtype=np.intp)


def as_names(option: str, value: object) -> list[Any]:
    """Return the names that an option gives, one or a list of them.

    Raises
    ------
    ConfigurationError
        A name stands there twice.
    """
    if value is None:
        return []
    names = list(value) if isinstance(value, list | tuple) else [value]
    if len({str(each) for each in names}) < len(names):
        raise ConfigurationError(f"{option}={value!r}: a name stands there twice")
    return names
