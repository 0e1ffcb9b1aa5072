"""`apply`: any function of a recording, run over every row of a frame."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError, WorkFailed
from kataven_notebook.frame import columns as _columns
from kataven_notebook.frame.fetch import sound_frame
from kataven_notebook.frame.known import split_for_work
from kataven_notebook.frame.options import check_choice, sound_plan
from kataven_notebook.frame.results import Shaped, column, wanted_columns
from kataven_notebook.frame.sessions import Sessions, find_sessions
from kataven_notebook.run.plan import DEFAULT_MAX_BYTES
from kataven_notebook.run.supervise import execute
from kataven_notebook.run.work import working

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kataven_notebook.frame.options import Duration
    from kataven_notebook.run.plan import Outcome
    from kataven_notebook.run.work import ExecutorLike
    from kataven_notebook.settings import Settings
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.opening import StoreLike

APPLY_ERROR = "apply_error"
_RESERVED = (_columns.STATUS, _columns.ERROR, _columns.AUDIO, APPLY_ERROR)


def apply(  # noqa: PLR0913 - the options of `audio`, and those of the work
    df: pd.DataFrame,
    fn: Callable[[Recording], Any],
    *,
    result: Literal["columns", "table", "object"] = "columns",
    columns: str | Sequence[str] | Mapping[str, Any] | None = None,
    session: str = "session_id",
    store: StoreLike = None,
    executor: ExecutorLike = None,
    in_flight: int | None = None,
    fn_timeout_s: float | None = None,
    errors: Literal["capture", "raise"] = "capture",
    refresh: bool = False,
    max_bytes: int = DEFAULT_MAX_BYTES,
    verify: Literal["quick", "full"] = "quick",
    poll_pending: Duration = None,
    max_wait: Duration = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Return what `fn` finds in every recording: as columns, as one long table, or as objects.

    Works on the frame's `audio` column where there is one; else each recording is fetched, handed
    to `fn` and dropped, so that memory is bounded by what is in flight. An exception in `fn` is
    that row's `apply_error`. With a store a second `apply` needs no API.

    Parameters
    ----------
    df
        One row a session. Left as it is. A session that stands in many rows is worked on once.
    fn
        Called with a `Recording`. With an executor of processes or machines it is sent with
        cloudpickle, so lambdas and functions of a notebook work; what it needs that can't be
        pickled, such as a loaded model, it makes itself, once a process (`functools.cache`).
    result
        "columns": a scalar, dict, dataclass, named tuple or Series becomes columns; "table": a
        DataFrame a call becomes one long table; "object": what is returned stands in one column.
    columns
        The names of the columns, or names with dtypes, such as `{"words": "Int64"}`: then an empty
        frame has them too, and other keys are left out. By default what the calls return: the name
        of `fn` for scalars and objects; `Int64`, `float64`, `boolean`, `string` or `object`.
    executor
        Where `fn` runs: by default threads of this process, as many as it has processors (enough
        for numpy and models, which release Python's lock). Any `concurrent.futures.Executor`, or a
        function that makes one, such as `lambda: ProcessPoolExecutor(4)` for heavy Python: its pool
        is made anew when a worker dies, and the calls are tried again. A cluster's is
        `dask.distributed.Client(...).get_executor()`. This process signs; workers download.
    in_flight
        How many sessions are under way at once; by default as many as the service allows requests,
        with an executor two for each worker, at most 256.
    fn_timeout_s
        After how many seconds a call is left behind and its row marked; by default never. A thread
        can't be killed and runs on, of which a warning tells. Code that holds Python's lock all the
        time, such as a runaway regular expression, is left when it lets go.
    session, store, errors, refresh, max_bytes, verify, poll_pending, max_wait, prefix, progress, \
    settings
        As for `audio`; "raise" also raises what `fn` raises first.

    Returns
    -------
    pandas.DataFrame
        "columns" and "object": a new frame, same rows and order, with `recording_status`
        (categorical), `recording_error` (string), the columns of `fn`, and `apply_error` (string:
        why there is no value, where the sound itself is fine). "table": the session column (under
        the caller's name), then the columns of the frames; sessions without rows are not in it, a
        warning counts those that failed, and `attrs["apply_errors"]` holds a sentence for each.

    Raises
    ------
    FrameError
        As for `audio`; or `fn` returns a column that the caller's frame has already.
    ConfigurationError
        Options that can't work; a function that can't be sent to the executor; an executor that is
        shut down, or whose processes end as they start.
    SessionError, StoreError, Interrupted
        As for `audio`.
    WorkFailed
        What `fn` raised first is its cause, with `errors="raise"`.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> from kataven_notebook.frame.apply import apply
    >>> def length(recording):
    ...     return {"minutes": recording.duration_s / 60, "is_stereo": recording.channels == 2}
    >>> with kn.demo.hub() as hub:
    ...     calls = apply(hub.sessions, length, settings=hub.settings, progress=False)
    >>> calls[["minutes", "is_stereo", "apply_error"]].dtypes.astype(str).tolist()
    ['float64', 'boolean', 'string']
    """
    check_choice("errors", errors, ("capture", "raise"))
    check_choice("result", result, ("columns", "table", "object"))
    if not callable(fn):
        raise ConfigurationError(f"fn is a {type(fn).__name__}: pass a function that takes a Recording")
    sessions = find_sessions(df, session)
    shape = _shape(df, fn, result, columns, prefix, session)
    plan = sound_plan(
        settings,
        store,
        max_bytes=max_bytes,
        verify=verify,
        poll_pending=poll_pending,
        max_wait=max_wait,
        in_flight=in_flight,
        keep_sound=False,
    )
    with working(
        plan,
        shape.function,
        executor=executor,
        fn_timeout_s=fn_timeout_s,
        capture=errors == "capture",
        check=shape.check,
    ) as ready:
        known, tasks = split_for_work(df, sessions, plan, prefix=prefix, refresh=refresh, capture=errors == "capture")

        def frame(outcomes: Mapping[int, Outcome]) -> pd.DataFrame:
            every = {**known, **outcomes}
            return shape.built(sessions, [every[position] for position in range(len(sessions.ids))])

        done = execute(
            ready, tasks, label="Applying", progress=progress, capture=errors == "capture", on_interrupt=frame
        )
    if errors == "raise":
        shape.raise_misfits(sessions, done)
    return frame(done)


def _shape(
    df: pd.DataFrame, fn: Callable[[Recording], Any], result: str, columns: Any, prefix: str, session: str
) -> _Columns | _Table:
    wanted = wanted_columns(columns)
    if result == "table":
        return _Table(fn, wanted, session)
    if result == "object":
        if wanted is not None and len(wanted) != 1:
            raise ConfigurationError("result='object' makes one column: name one with columns=")
        # Whatever is returned is kept as it is.
        wanted = dict.fromkeys(wanted or [Shaped(fn, result, None).__name__], "object")
    return _Columns(df, fn, result, wanted, prefix, session)


class _Columns:
    """One row in, one row out: the caller's frame with more columns."""

    def __init__(
        self,
        df: pd.DataFrame,
        fn: Callable[[Recording], Any],
        result: str,
        wanted: dict[str, Any] | None,
        prefix: str,
        session: str,
    ) -> None:
        self._df = df
        self._wanted = wanted
        self._prefix = prefix
        self._session = session
        self._is_object = result == "object"
        self._checked: set[str] = set()
        self.function = Shaped(fn, result, None if wanted is None else tuple(wanted))
        own = (_columns.STATUS, _columns.ERROR, APPLY_ERROR)
        _columns.check_names(df, own, prefix=prefix, own_session=session)
        self._check_names(wanted or ())

    def check(self, value: Any) -> None:
        """Refuse names that would overwrite, with the first value that has them: not after hours."""
        if not self._is_object:
            self._check_names(value)

    def _check_names(self, names: Any) -> None:
        fresh = [name for name in names if name not in self._checked]
        if not fresh:
            return
        reserved = [name for name in fresh if name in _RESERVED]
        if reserved:
            raise FrameError(f"{self.function.__name__} returns {reserved[0]!r}, which is a column of ours: rename it")
        _columns.check_names(self._df, fresh, prefix=self._prefix, own_session=self._session, if_noted=True)
        self._checked.update(fresh)

    def built(self, sessions: Sessions, outcomes: list[Outcome]) -> pd.DataFrame:
        """Return the caller's frame with statuses, values and reasons."""
        cells = [self._cells(outcome) for outcome in outcomes]
        reasons = [outcome.work_error for outcome in outcomes]
        names = self._wanted if self._wanted is not None else {name: None for each in cells for name in each}
        added: dict[str, Any] = {}
        for name, dtype in names.items():
            values, wrong = column([each.get(name) for each in cells], dtype)
            for position, text in wrong.items():
                reasons[position] = f"{name}: {text}"
            added[name] = values.take(sessions.codes) if len(outcomes) else values
        added[APPLY_ERROR] = _columns.as_array(sessions.spread(reasons), "string")
        frame = sound_frame(self._df, sessions, dict(enumerate(outcomes)), self._prefix, with_audio=False)
        return _columns.with_columns(frame, added, prefix=self._prefix)

    def raise_misfits(self, sessions: Sessions, outcomes: Mapping[int, Outcome]) -> None:
        """Raise for the first value that is not of the dtype that the caller gave."""
        for name, dtype in (self._wanted or {}).items():
            positions = list(outcomes)
            _, wrong = column([self._cells(outcomes[position]).get(name) for position in positions], dtype)
            for index, text in wrong.items():
                raise WorkFailed(f"{name}: {text}", session_id=sessions.ids[positions[index]])

    def _cells(self, outcome: Outcome) -> dict[str, Any]:
        if self._is_object:
            return dict.fromkeys(self._wanted or (), outcome.value)
        return outcome.value if isinstance(outcome.value, dict) else {}


class _Table:
    """A frame a call, one below the other."""

    def __init__(self, fn: Callable[[Recording], Any], wanted: dict[str, Any] | None, session: str) -> None:
        self._wanted = wanted
        self._session = session
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

    def built(self, sessions: Sessions, outcomes: list[Outcome]) -> pd.DataFrame:
        """Return the long table."""
        parts, empty = [], pd.DataFrame()
        for session_id, outcome in zip(sessions.ids, outcomes, strict=True):
            if isinstance(outcome.value, pd.DataFrame):
                part = outcome.value if self._wanted is None else outcome.value.reindex(columns=list(self._wanted))
                empty = part if len(part.columns) > len(empty.columns) else empty
                if len(part):
                    parts.append(part.assign(**{self._session: session_id}))
        # Where nobody has a row, the columns are those of a frame without rows.
        table = pd.concat(parts, ignore_index=True) if parts else empty.iloc[:0].assign(**{self._session: []})
        misfits: dict[str, str] = {}
        for name, dtype in (self._wanted or {}).items():
            table[name], wrong = column(table[name].astype(object).tolist() if name in table else [], dtype)
            misfits |= {str(table[self._session].iloc[row]): f"{name}: {text}" for row, text in wrong.items()}
        table[self._session] = pd.array(table[self._session].tolist(), dtype="string")
        ordered = [self._session, *(name for name in table.columns if name != self._session)]
        table = table[ordered]
        self._tell(table, sessions, outcomes, misfits)
        return table

    def raise_misfits(self, sessions: Sessions, outcomes: Mapping[int, Outcome]) -> None:
        """Raise for the first value that is not of the dtype that the caller gave."""
        for position, outcome in outcomes.items():
            for name, dtype in (self._wanted or {}).items():
                if isinstance(outcome.value, pd.DataFrame) and name in outcome.value:
                    for text in column(outcome.value[name].astype(object).tolist(), dtype)[1].values():
                        raise WorkFailed(f"{name}: {text}", session_id=sessions.ids[position])

    def _tell(
        self, table: pd.DataFrame, sessions: Sessions, outcomes: list[Outcome], misfits: Mapping[str, str]
    ) -> None:
        reasons = {
            str(session_id): outcome.work_error or f"{outcome.status}: {outcome.error}"
            for session_id, outcome in zip(sessions.ids, outcomes, strict=True)
            if outcome.work_error is not None or not outcome.status.is_good
        }
        table.attrs["apply_errors"] = {**misfits, **reasons}
        if misfits:
            warnings.warn(
                f"values of {len(misfits):,} sessions are not of the dtypes of columns= and are missing; the table's "
                f"attrs['apply_errors'] says which. The first: {next(iter(misfits))}: {next(iter(misfits.values()))}",
                UserWarning,
                stacklevel=5,
            )
        if reasons:
            warnings.warn(
                f"{len(reasons):,} of {len(outcomes):,} sessions are not in the table; its attrs['apply_errors'] says "
                f"why. The first: {next(iter(reasons))}: {next(iter(reasons.values()))}",
                UserWarning,
                stacklevel=5,
            )
