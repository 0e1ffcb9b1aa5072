"""The session ids of a frame: found, held against the rules, and each counted once."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.hints import SESSION_NAMES, are_sound_files, did_you_mean, is_sound_file, no_frame
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

# As pandas calls a column's values, and none of them are ids: numbers, times, and what is made of them.
_NO_TEXT = frozenset(
    {
        "integer",
        "floating",
        "mixed-integer-float",
        "decimal",
        "complex",
        "boolean",
        "datetime",
        "datetime64",
        "date",
        "timedelta",
        "timedelta64",
        "time",
        "period",
        "interval",
    }
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Which session each row of a frame names.

    Parameters
    ----------
    name
        The column's (or index level's) name, as the caller calls it.
    codes
        For each row the position of its session in `ids`.
    ids
        Each session once, in order of appearance; values that are no text stand here as they are.
    """

    name: str
    codes: npt.NDArray[np.intp]
    ids: list[Any]

    def spread(self, values: Sequence[Any]) -> npt.NDArray[np.object_]:
        """Turn one value a session into one value a row."""
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array[self.codes] if len(values) else np.empty(0, dtype=object)

    def first_rows(self, *preferred: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """For each session the position of the first row that names it.

        Parameters
        ----------
        *preferred
            Rows to be taken before others, as masks; the last one counts most.
        """
        first = np.full(len(self.ids), -1, dtype=np.intp)
        for mask in (np.ones(len(self.codes), dtype=np.bool_), *preferred):
            rows = np.flatnonzero(mask)[::-1]
            first[self.codes[rows]] = rows
        return first


def find_sessions(frame: pd.DataFrame, session: str) -> Sessions:
    """Find the session ids of `frame`.

    Parameters
    ----------
    frame
        One row a session; ids may stand in several rows.
    session
        The column that holds them, or the name of the index or of one of its levels.

    Raises
    ------
    FrameError
        No frame, no such column, several of that name, or a column of numbers or times.
    """
    column = session_column(frame, session)
    values = column.astype(object).to_numpy()
    kind = pd.api.types.infer_dtype(values, skipna=True)
    _refuse_other_than_text(column, session, kind)
    if kind == "string" and column.notna().all():
        codes, found = pd.factorize(values)
        return _doubted(Sessions(session, codes, list(found)))
    codes = np.empty(len(column), dtype=np.intp)
    positions: dict[Any, int] = {}
    ids: list[Any] = []
    for row, value in enumerate(values):
        # What is no id names no session: such rows have nothing in common.
        key = value if isinstance(value, str) else row
        position = positions.get(key)
        if position is None:
            position = positions[key] = len(ids)
            ids.append(value)
        codes[row] = position
    return _doubted(Sessions(session, codes, ids))


def _doubted(sessions: Sessions) -> Sessions:
    """Warn of ids that look like numbers which were text once; they are sent as they are, since ids are opaque."""
    numbers = sum(isinstance(each, str) and each.endswith(".0") and each[:-2].isdecimal() for each in sessions.ids)
    if numbers > len(sessions.ids) / 2:
        name = sessions.name
        warn_caller(
            f"most ids in {name!r} end in '.0', as numbers do that were read from a file with empty cells: if that is "
            f'not how they are written, read it again with dtype={{"{name}": str}}. They are sent as they are'
        )
    return sessions


def _refuse_other_than_text(column: pd.Series[Any], session: str, kind: str) -> None:
    """Refuse a column that holds numbers or times, whatever its dtype is; among texts, a number's row is invalid."""
    dtype = column.dtype
    may_be_text = kind == "string" or isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_object_dtype(dtype)
    if column.notna().any() and (not may_be_text or kind in _NO_TEXT):
        held = f"is of dtype {dtype}" + (f" and holds {kind} values" if may_be_text else "")
        raise FrameError(
            f"the column {session!r} {held}, and session ids are text: leading zeros may be gone and "
            f'123 may have become 123.0. Read the file again with dtype={{"{session}": str}}{_as_text(column, kind)}'
        )


def _as_text(column: pd.Series[Any], kind: str) -> str:
    """Return how a column of whole numbers becomes one of ids that never had leading zeros."""
    if kind not in ("integer", "floating"):
        return ""
    # Through whole numbers that may be missing: 7.0 would become "7.0", and None "None".
    plain = kind == "integer" and column.notna().all()
    made = ".astype(str)" if plain else '.astype("Int64").astype("string")'
    return f"; ids of a database, which have no leading zeros, become text by {made}"


def session_column(frame: pd.DataFrame, session: Hashable, *, option: str = "session") -> pd.Series[Any]:
    """Return the column, or the index level as a column, that holds the session ids.

    Parameters
    ----------
    frame, session
        As for `find_sessions`.
    option
        The argument that names the column, for messages.

    Raises
    ------
    FrameError
        As in `find_sessions`.
    """
    if not isinstance(frame, pd.DataFrame):
        raise FrameError(no_frame("a DataFrame with one row a session", frame))
    if isinstance(frame.columns, pd.MultiIndex):
        raise FrameError(
            "the columns are a MultiIndex: flatten them first, for instance with frame.columns.map('_'.join)"
        )
    if not isinstance(session, Hashable):
        raise FrameError(f"{option}={session!r}: pass the name of one column")
    if session in frame.columns:
        if (count := int((frame.columns == session).sum())) > 1:
            raise FrameError(f"there are {count} columns named {session!r}: rename all but one")
        return frame[session]
    if session in frame.index.names:
        return frame.index.get_level_values(frame.index.names.index(session)).to_series(index=frame.index)
    names = ", ".join(repr(each) for each in frame.columns[:20]) + (", ..." if len(frame.columns) > 20 else "")
    levels = ", ".join(repr(each) for each in frame.index.names if each is not None)
    known_as = SESSION_NAMES if option == "session" else ()
    near = did_you_mean(session, [*frame.columns, *frame.index.names], known_as=known_as)
    raise FrameError(
        f"there is no column and no index level {session!r}{near}; pass {option}= one of the columns: "
        f"{names or 'there are none'}" + (f"; or of the index: {levels}" if levels else "") + _way_of_files(frame)
    )


def _way_of_files(frame: pd.DataFrame) -> str:
    """Return what to do where a column holds names of sound files, which need no session."""
    # By position: names may stand there twice.
    holding = (name for at, name in enumerate(frame.columns) if are_sound_files(frame.iloc[:, at].dropna()))
    found = next(holding, None)
    opened = f"from_files(df, path={found!r}) opens them"
    return "" if found is None else f". The column {found!r} names sound files: {opened}"


def refuse_files(frame: pd.DataFrame, sessions: Sessions, audio: str) -> None:
    """Refuse names of sound files where recordings or session ids belong, and say what opens them.

    Parameters
    ----------
    frame, sessions
        The caller's frame and its sessions.
    audio
        The name of our column of recordings.

    Raises
    ------
    FrameError
        The column of recordings, or that of the session ids, names files.
    """
    if audio in frame.columns:
        # One of several of that name is refused by who writes it.
        column = frame.loc[:, audio]
        if isinstance(column, pd.Series) and are_sound_files(column.dropna()):
            raise FrameError(
                f"the column {audio!r} names sound files and holds no recordings: "
                f'from_files(df.rename(columns={{"{audio}": "path"}})) opens them, without the service'
            )
        return
    if not are_sound_files(sessions.ids):
        return
    first = next(each for each in sessions.ids if is_sound_file(each))
    if re.search(r"[/\\]", str(first)) or Path(first).is_file():
        raise FrameError(
            f"the session ids in {sessions.name!r} are names of sound files, such as {one_line(repr(first))}: "
            f"from_files(df, path={sessions.name!r}) opens them, without the service"
        )
    warn_caller(
        f"most ids in {sessions.name!r} end as names of sound files do, such as {one_line(repr(first))}: to open files "
        "of this machine call from_files(). They are sent as they are"
    )
