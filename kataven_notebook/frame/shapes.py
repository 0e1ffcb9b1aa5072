"""The shapes of what `apply` returns: the caller's frame with more columns, or one long table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError, WorkFailed
from kataven_notebook.frame.columns import (
    APPLY_ERROR,
    AUDIO,
    ERROR,
    STATUS,
    as_array,
    check_names,
    sound_frame,
    with_columns,
)
from kataven_notebook.frame.results import Shaped, column, wanted_columns
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kataven_notebook.frame.job import FrameJob
    from kataven_notebook.run.plan import Outcome
    from kataven_notebook.sound.recording import Recording

_RESERVED = (STATUS, ERROR, AUDIO, APPLY_ERROR)


class Shape(Protocol):
    """Makes one frame of what a function returned for every session."""

    function: Shaped

    def check(self, value: Any) -> None:
        """Refuse a value that would overwrite a column, as soon as the first call returns it.

        Raises
        ------
        FrameError
            Which column.
        """

    def misfits(self, values: Mapping[int, Any]) -> set[int]:
        """Return the positions of values that are not of the dtypes that the caller gave."""

    def build(self, outcomes: list[Outcome]) -> pd.DataFrame:
        """Return the frame, from one outcome a session."""

    def raise_misfits(self, outcomes: list[Outcome]) -> None:
        """Raise for the first value that is not of the dtype that the caller gave.

        Raises
        ------
        WorkFailed
            Whose value, and which dtype.
        """


def make_shape(job: FrameJob, fn: Callable[[Recording], Any], result: str, columns: Any) -> Shape:
    """Return the shape that `result` names.

    Parameters
    ----------
    job
        The frame, its sessions and the prefix.
    fn
        The user's function.
    result
        "columns", "table" or "object".
    columns
        The names, or names with dtypes, as in `apply`.

    Raises
    ------
    ConfigurationError
        `columns` can't work with `result`.
    FrameError
        The caller's frame has a column of one of the names.
    """
    wanted = wanted_columns(columns)
    if result == "table":
        return _Table(job, fn, wanted)
    if result == "object":
        if wanted is not None and len(wanted) != 1:
            raise ConfigurationError("result='object' makes one column: name one with columns=")
        # Whatever is returned is kept as it is.
        wanted = dict.fromkeys(wanted or [Shaped(fn, result, None).__name__], "object")
    return _Columns(job, fn, result, wanted)


class _Columns:
    """One row in, one row out: the caller's frame with more columns."""

    def __init__(
        self, job: FrameJob, fn: Callable[[Recording], Any], result: str, wanted: dict[str, Any] | None
    ) -> None:
        self._job = job
        self._wanted = wanted
        self._is_object = result == "object"
        self._checked: set[str] = set()
        self.function = Shaped(fn, result, None if wanted is None else tuple(wanted))
        own = (STATUS, ERROR, APPLY_ERROR)
        check_names(job.frame, own, prefix=job.prefix, own_session=job.sessions.name)
        self._check_names(wanted or ())

    def check(self, value: Any) -> None:
        """Refuse names that would overwrite, with the first value that has them and not at the end of the run."""
        if not self._is_object:
            self._check_names(value)

    def _check_names(self, names: Any) -> None:
        fresh = [name for name in names if name not in self._checked]
        if not fresh:
            return
        reserved = [name for name in fresh if name in _RESERVED]
        if reserved:
            raise FrameError(
                f"{self.function.__name__} returns {reserved[0]!r}, which is a column that apply() adds: rename it"
            )
        job = self._job
        check_names(job.frame, fresh, prefix=job.prefix, own_session=job.sessions.name, if_noted=True)
        self._checked.update(fresh)

    def misfits(self, values: Mapping[int, Any]) -> set[int]:
        """Return the positions of values that are not of the dtypes that the caller gave."""
        positions = list(values)
        cells = [each if isinstance(each, dict) and not self._is_object else {} for each in values.values()]
        wanted = (self._wanted or {}).items()
        wrong = [column([each.get(name) for each in cells], dtype)[1] for name, dtype in wanted]
        return {positions[at] for each in wrong for at in each}

    def build(self, outcomes: list[Outcome]) -> pd.DataFrame:
        """Return the caller's frame with statuses, values and reasons."""
        sessions = self._job.sessions
        cells = [self._cells(outcome) for outcome in outcomes]
        reasons = [outcome.work_error for outcome in outcomes]
        names = self._wanted if self._wanted is not None else {name: None for each in cells for name in each}
        added: dict[str, Any] = {}
        for name, dtype in names.items():
            values, wrong = column([each.get(name) for each in cells], dtype)
            for position, text in wrong.items():
                reasons[position] = f"{name}: {text}"
            added[name] = values.take(sessions.codes) if len(outcomes) else values
        added[APPLY_ERROR] = as_array(sessions.spread(reasons), "string")
        frame = sound_frame(self._job.frame, sessions, outcomes, self._job.prefix, with_audio=False)
        return with_columns(frame, added, prefix=self._job.prefix)

    def raise_misfits(self, outcomes: list[Outcome]) -> None:
        """Raise for the first value that is not of the dtype that the caller gave."""
        for name, dtype in (self._wanted or {}).items():
            _, wrong = column([self._cells(outcome).get(name) for outcome in outcomes], dtype)
            for position, text in wrong.items():
                raise WorkFailed(f"{name}: {text}", session_id=self._job.sessions.ids[position])

    def _cells(self, outcome: Outcome) -> dict[str, Any]:
        if self._is_object:
            return dict.fromkeys(self._wanted or (), outcome.value)
        return outcome.value if isinstance(outcome.value, dict) else {}


class _Table:
    """A frame a call, one below the other."""

    def __init__(self, job: FrameJob, fn: Callable[[Recording], Any], wanted: dict[str, Any] | None) -> None:
        self._job = job
        self._wanted = wanted
        self._session = session = job.sessions.name
        self.function = Shaped(fn, "table", None)
        if wanted is not None and session in wanted:
            raise ConfigurationError(f"columns= names {session!r}, which is the session column and always there")

    def check(self, value: Any) -> None:
        """Refuse a frame that has a session column of its own."""
        if value is not None and self._session in value.columns:
            raise FrameError(
                f"{self.function.__name__} returns a frame with a column {self._session!r}, which is added here: "
                "leave it out"
            )

    def misfits(self, values: Mapping[int, Any]) -> set[int]:
        """Return the positions of values that are not of the dtypes that the caller gave."""
        return {at for at, value in values.items() if next(self._misfits_of(value), None) is not None}

    def build(self, outcomes: list[Outcome]) -> pd.DataFrame:
        """Return the long table."""
        parts, empty = [], pd.DataFrame()
        for session_id, outcome in zip(self._job.sessions.ids, outcomes, strict=True):
            if isinstance(outcome.value, pd.DataFrame):
                part = outcome.value if self._wanted is None else outcome.value.reindex(columns=list(self._wanted))
                empty = part if len(part.columns) > len(empty.columns) else empty
                if len(part):
                    named = encodable(session_id) if isinstance(session_id, str) else session_id
                    parts.append(part.assign(**{self._session: named}))
        # Where no call has a row, the columns are those of a frame without rows.
        table = pd.concat(parts, ignore_index=True) if parts else empty.iloc[:0].assign(**{self._session: []})
        misfits: dict[str, str] = {}
        for name, dtype in (self._wanted or {}).items():
            table[name], wrong = column(table[name].astype(object).tolist() if name in table else [], dtype)
            misfits |= {str(table[self._session].iloc[row]): f"{name}: {text}" for row, text in wrong.items()}
        table[self._session] = as_array(table[self._session].tolist(), "string")
        ordered = [self._session, *(name for name in table.columns if name != self._session)]
        table = table[ordered]
        self._warn(table, outcomes, misfits)
        return table

    def raise_misfits(self, outcomes: list[Outcome]) -> None:
        """Raise for the first value that is not of the dtype that the caller gave."""
        for session_id, outcome in zip(self._job.sessions.ids, outcomes, strict=True):
            for text in self._misfits_of(outcome.value):
                raise WorkFailed(text, session_id=session_id)

    def _misfits_of(self, value: Any) -> Iterator[str]:
        for name, dtype in (self._wanted or {}).items():
            if isinstance(value, pd.DataFrame) and name in value:
                for text in column(value[name].astype(object).tolist(), dtype)[1].values():
                    yield f"{name}: {text}"

    def _warn(self, table: pd.DataFrame, outcomes: list[Outcome], misfits: Mapping[str, str]) -> None:
        """Write into the table's attrs which sessions lack rows or values and why, and warn of them."""
        reasons = self._job.reasons(outcomes)
        table.attrs["apply_errors"] = {**misfits, **reasons}
        if misfits:
            warn_caller(
                f"values of {len(misfits):,} sessions are not of the dtypes of columns= and are missing; the table's "
                f"attrs['apply_errors'] says which. The first: {next(iter(misfits))}: {next(iter(misfits.values()))}"
            )
        if reasons:
            warn_caller(
                f"{len(reasons):,} of {len(outcomes):,} sessions are not in the table; its attrs['apply_errors'] says "
                f"why. The first: {next(iter(reasons))}: {next(iter(reasons.values()))}"
            )
