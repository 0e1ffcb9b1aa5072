"""`apply`: any function of a recording, run over every row of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.job import FrameJob
from kataven_notebook.frame.keep import plain, plain_outcomes, value_keeper
from kataven_notebook.frame.options import check_choice, sound_plan
from kataven_notebook.frame.row_values import Noting, RowValues, takes_row
from kataven_notebook.frame.shapes import make_shape
from kataven_notebook.run.plan import DEFAULT_MAX_BYTES
from kataven_notebook.run.work import working

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from kataven_notebook.frame.options import Duration
    from kataven_notebook.run.work import ExecutorLike
    from kataven_notebook.settings import Settings
    from kataven_notebook.store.opening import StoreLike


@with_configured_names
def apply(  # noqa: PLR0913 - the options of `audio`, and those of the work
    df: pd.DataFrame,
    fn: Callable[..., Any],
    *,
    result: Literal["columns", "table", "object"] = "columns",
    columns: str | Sequence[str] | Mapping[str, Any] | None = None,
    session: str = "session_id",
    store: StoreLike = None,
    executor: ExecutorLike = None,
    fn_timeout_s: float | None = None,
    keep: str | None = None,
    errors: Literal["capture", "raise"] = "capture",
    refresh: bool = False,
    max_bytes: int = DEFAULT_MAX_BYTES,
    verify: Literal["quick", "full"] = "quick",
    poll_pending: Duration = None,
    max_wait: Duration = None,
    in_flight: int | None = None,
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
        Called with a `Recording`; where its second parameter is named `row`, also with a dict of the
        session's other columns (of its first row; never its URL), which hold the agent's channel once
        `metrics` has added it. With an executor of processes or machines it is sent with
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
        is made anew when a worker dies, and the work is repeated. A cluster's is
        `dask.distributed.Client(...).get_executor()`. This process signs; workers download.
    in_flight
        How many sessions are under way at once; by default as in `audio`, with an executor two for each
        worker, at most 256.
    fn_timeout_s
        After how many seconds a recording is given up and its row gets an error; by default never. A
        thread can't be killed: it runs on, and a warning says so. Code that holds Python's lock all
        the time, such as a runaway regular expression, is given up when it releases the lock.
    keep
        A name under which the store that a recording lies in keeps what `fn` returned, such as
        "transcript-v2": from then on `fn` is called for what is new or has failed, in any process, also
        after a kill. Give it another name when `fn` changes. Kept by session and sound, and by what `fn` asks
        the row for where it takes it: other columns may come and go. As JSON, so that it must be made of
        text, numbers, times, lists, dicts, numpy arrays and frames. By default nothing is kept.
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
        Options that can't work; a value that `keep` can't keep; a function that can't be sent to the
        executor; an executor that is shut down, or whose processes end as they start.
    SessionError, StoreError, MissingExtra, Interrupted
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
    check_choice("result", result, ("columns", "table", "object"))
    if not callable(fn):
        raise ConfigurationError(f"fn is a {type(fn).__name__}: pass a function that takes a Recording")
    job = FrameJob(df, session, errors=errors, prefix=prefix)
    shape = make_shape(job, fn, result, columns)
    rows = RowValues(df, job.sessions, prefix) if takes_row(fn) else None
    keeper = value_keeper(keep, shape.function, rows)
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
    work = working(
        plan,
        shape.function if keep is None or rows is None else Noting(shape.function),
        executor=executor,
        fn_timeout_s=fn_timeout_s,
        capture=job.capture,
        check=lambda value: shape.check(plain(value)),
        rows=rows,
    )
    with keeper, work as ready:
        job.split(plan, refresh=refresh, for_work=True, progress=progress)
        kept = {position: plain(value) for position, value in keeper.find(job.tasks).items()}
        for position in shape.misfits(kept):
            del kept[position]  # its row has an error: it is tried again
        for value in kept.values():
            shape.check(value)
        job.take(kept)
        found = job.run(
            keeper.applied_to(ready),
            label="Applying",
            progress=progress,
            build=lambda outcomes: shape.build(plain_outcomes(outcomes)),
        )
    outcomes = plain_outcomes(found)
    if not job.capture:
        shape.raise_misfits(outcomes)
    return shape.build(outcomes)
