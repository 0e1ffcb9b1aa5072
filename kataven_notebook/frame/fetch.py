"""The functions from frame to frame that fetch: `recordings`, `audio`, `summary`, `iter_recordings`."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import (
    AUDIO,
    ERROR,
    EXPIRES_AT,
    SOUND,
    STATUS,
    URL,
    as_array,
    check_prefix,
    sound_frame,
    statuses,
    url_columns,
    with_columns,
)
from kataven_notebook.frame.job import FrameJob
from kataven_notebook.frame.options import duration_s, sound_plan
from kataven_notebook.hints import no_frame
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.plan import DEFAULT_MAX_BYTES, Plan
from kataven_notebook.run.supervise import last_interrupted, stream
from kataven_notebook.settings import Settings, current_settings
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kataven_notebook.frame.options import Duration
    from kataven_notebook.run.plan import Outcome
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.opening import StoreLike


_URL_COLUMNS = (URL, STATUS, ERROR, EXPIRES_AT)
# Above this many rows, signing first and downloading later loses rows to expiry.
_MANY_ROWS = 300


@with_configured_names
def recordings(
    df: pd.DataFrame,
    *,
    session: str = "session_id",
    errors: Literal["capture", "raise"] = "capture",
    refresh: bool = False,
    poll_pending: Duration = None,
    max_wait: Duration = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Return the frame with a signed recording URL and a status per row.

    For looking what is there, and for handing URLs on. Each URL lives about five minutes and costs one of the
    60 requests a minute that the service grants, so for sound use `audio`, which signs by itself,
    just before it downloads.

    Parameters
    ----------
    df
        One row a session. Left as it is. A session id that stands in many rows is asked for once.
    session
        The column that holds the session ids, or the name of the index or of one of its levels. `configure`
        can set another default, as for `prefix`.
    errors
        "capture" writes what went wrong into the row; "raise" raises the first failure.
    refresh
        Ask for all again, also for what is known and final or still lives.
    poll_pending
        For how long to ask again for recordings that are not uploaded yet, such as "10min" or
        seconds; by default not at all.
    max_wait
        How long to wait at most for the request budget, and for a network that is away: rows that
        are left are `limited`, or `failed` where the network was away. By default as long as it
        takes.
    prefix
        Stands before the names of all added columns, where the frame has such names of its own.
    progress
        Show a progress bar; by default in notebooks and terminals.
    settings
        Credentials and limits for this call; by default `configure`'s and the environment's.

    Returns
    -------
    pandas.DataFrame
        A new frame, same rows and order, with `recording_url` (string), `recording_status`
        (categorical), `recording_error` (string, missing where all is well) and
        `recording_expires_at` (datetime64[us, UTC], by this machine's clock).

    Raises
    ------
    FrameError
        The session column can't be found or is numeric, or a column of the caller's has one of
        the names.
    ConfigurationError
        Credentials, options or a proxy that can't work; before any request.
    MissingExtra
        The proxy of the environment needs `[socks]`.
    SessionError
        The first failure, with `errors="raise"`.
    Interrupted
        Somebody pressed stop; carries the frame with what is finished.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> with kn.demo.hub() as hub:
    ...     calls = kn.recordings(hub.sessions, settings=hub.settings, progress=False)
    >>> sorted(set(calls["recording_status"].dropna()))
    ['missing', 'pending', 'ready']
    """
    job = FrameJob(df, session, errors=errors, prefix=prefix, names=_URL_COLUMNS)
    plan = Plan(
        settings=current_settings(settings),
        sound=False,
        poll_pending_s=duration_s("poll_pending", poll_pending) or 0.0,
        max_wait_s=duration_s("max_wait", max_wait),
    )
    job.split(plan, refresh=refresh)
    if len(job.tasks) > _MANY_ROWS:
        warn_caller(
            f"{len(job.tasks):,} URLs are signed one minute's budget at a time and live about five minutes: the first "
            "ones expire before the last ones are signed. For sound, call audio(), which signs by itself"
        )
    build = functools.partial(_signed_frame, job)
    return build(job.run(plan, label="Signing", progress=progress, build=build))


@with_configured_names
def audio(
    df: pd.DataFrame,
    *,
    session: str = "session_id",
    store: StoreLike = None,
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
    """Return the frame with the sound of every call: signed, downloaded and verified in one step.

    Calling it again goes on where it was: what is `downloaded` stays, `missing` and `corrupt` are
    left alone, the rest is asked for. Without a store the encoded sound is kept in memory; with
    one, finished rows survive a killed kernel and memory stays flat.

    Parameters
    ----------
    df, session, errors, refresh, poll_pending, max_wait, prefix, progress, settings
        As for `recordings`.
    store
        A folder (or a `Store`) that keeps sound and outcomes; by default `configure`'s, else none.
    max_bytes
        A recording above this is `too_large`. 500 MB by default, which is four hours of 8 kHz 16-bit
        stereo WAV, or 43 minutes of 48 kHz.
    verify
        "quick" decodes the first and last second of each, "full" everything; both hold the length
        against what the storage and the header promise.
    in_flight
        How many calls are under way at once. By default as many requests as the service allows at once, and as
        many downloads as their waiting for the storage takes, at most 512 in all.

    Returns
    -------
    pandas.DataFrame
        A new frame with `audio` (`recording`: a `Recording` or None), `recording_status` (categorical),
        `recording_error`, `recording_format` (string), `duration_s` (float64), `sample_rate`,
        `channels`, `recording_bytes` (Int64).

    Raises
    ------
    FrameError, ConfigurationError, SessionError, Interrupted
        As for `recordings`.
    StoreError
        The store is full, can't be written, or is another account's or version's; what is
        finished in it is safe.
    MissingExtra
        `store` is a URL that needs a package which is not installed: `[s3]` for `s3://`; or the
        proxy of the environment needs `[socks]`.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> with kn.demo.hub() as hub:
    ...     calls = kn.audio(hub.sessions, settings=hub.settings, progress=False)
    >>> int(calls["recording_status"].eq("downloaded").sum())
    12
    """
    job = FrameJob(df, session, errors=errors, prefix=prefix, names=(AUDIO, STATUS, ERROR, *SOUND))
    plan = sound_plan(
        settings,
        store,
        max_bytes=max_bytes,
        verify=verify,
        poll_pending=poll_pending,
        max_wait=max_wait,
        in_flight=in_flight,
    )
    job.split(plan, refresh=refresh, progress=progress)

    def build(outcomes: list[Outcome]) -> pd.DataFrame:
        return sound_frame(df, job.sessions, outcomes, prefix)

    return build(job.run(plan, label="Downloading", progress=progress, build=build))


@with_configured_names
def summary(df: pd.DataFrame, *, prefix: str = "") -> pd.DataFrame:
    """Return how many rows have which status, and what to do about them.

    Parameters
    ----------
    df
        A frame that `recordings`, `audio`, `metrics` or `apply` returned.
    prefix
        The prefix that was given there.

    Returns
    -------
    pandas.DataFrame
        `recording_status` (categorical), `rows` (Int64), `share` (float64, 0 to 1) and
        `what_to_do` (string), the most frequent first.

    Raises
    ------
    FrameError
        No frame, or one that has no statuses yet.

    Examples
    --------
    >>> summary(pd.DataFrame({"recording_status": ["missing", "downloaded", "missing"]}))["rows"].tolist()
    [2, 1]
    """
    if not isinstance(df, pd.DataFrame):
        raise FrameError(no_frame("a DataFrame that audio() or recordings() returned", df))
    check_prefix(prefix)
    if prefix + STATUS not in df.columns:
        raise FrameError(f"there is no column {prefix + STATUS!r}: call audio() or recordings() first")
    known, rows = _counted(statuses(df, prefix))
    return pd.DataFrame(
        {
            "recording_status": as_array(known, "status"),
            "rows": pd.array(rows, dtype="Int64"),
            "share": pd.Series([count / max(len(df), 1) for count in rows], dtype="float64"),
            "what_to_do": pd.array([Status(name).advice for name in known], dtype="string"),
        }
    )


def _counted(states: Sequence[Any]) -> tuple[list[str], list[int]]:
    """Return the statuses that there are and how often each is, the most frequent first."""
    counts = Counter(str(each) for each in states if each in set(Status)).most_common()
    return [name for name, _ in counts], [count for _, count in counts]


@with_configured_names
def iter_recordings(
    df: pd.DataFrame,
    *,
    session: str = "session_id",
    store: StoreLike = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    verify: Literal["quick", "full"] = "quick",
    poll_pending: Duration = None,
    max_wait: Duration = None,
    in_flight: int | None = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> Iterator[tuple[str, Recording]]:
    """Yield `(session_id, Recording)` as they come, for loops of one's own.

    Memory is bounded: while the loop is slow, nothing more is asked for than is under way. Sessions
    without sound are passed over (`audio` says why); a refused account raises.

    Parameters
    ----------
    df, session, store, max_bytes, verify, poll_pending, max_wait, in_flight, prefix, progress, settings
        As for `audio`.

    Yields
    ------
    tuple of str and Recording
        Each session once, in the order in which they are ready.

    Raises
    ------
    FrameError, ConfigurationError, StoreError, MissingExtra, SessionError
        As for `audio`.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> with kn.demo.hub() as hub:
    ...     total_s = sum(r.duration_s for _, r in kn.iter_recordings(hub.sessions, settings=hub.settings))
    >>> total_s > 60
    True
    """
    job = FrameJob(df, session, prefix=prefix)
    plan = sound_plan(
        settings,
        store,
        max_bytes=max_bytes,
        verify=verify,
        poll_pending=poll_pending,
        max_wait=max_wait,
        in_flight=in_flight,
    )
    job.split(plan, progress=progress)

    def as_they_come() -> Iterator[tuple[str, Recording]]:
        for position, outcome in job.known.items():
            if outcome.recording is not None:
                yield job.sessions.ids[position], outcome.recording
        found: list[Status] = []
        lacking = []  # one refusal is its row's; one that ended the run is the account's
        for session_id, outcome in stream(plan, job.tasks, label="Downloading", progress=progress):
            found.append(outcome.status)
            if outcome.recording is not None:
                yield session_id, outcome.recording
            elif outcome.status in (Status.REFUSED, Status.UNCONFIGURED, Status.SKIPPED):
                lacking.append(outcome)
        refusals = [outcome.exception for outcome in lacking if outcome.status != Status.SKIPPED]
        if refusals and refusals[0] is not None and (len(lacking) > len(refusals) or len(refusals) == len(job.tasks)):
            raise refusals[0]
        job.doubt_ids(found)

    return as_they_come()


def interrupted() -> pd.DataFrame | None:
    """Return the frame of the last run if it was interrupted, finished rows and `skipped` ones; else None.

    The next run that comes to its end lets go of it.

    Examples
    --------
    >>> interrupted() is None
    True
    """
    return last_interrupted()


def _signed_frame(job: FrameJob, outcomes: list[Outcome]) -> pd.DataFrame:
    # What is downloaded stays downloaded, also where the service has lost it since: a URL says nothing against sound.
    states = [
        before if before == Status.DOWNLOADED else after
        for before, after in zip(
            statuses(job.frame, job.prefix), job.sessions.spread([each.status for each in outcomes]), strict=True
        )
    ]
    reasons = [
        None if state in (Status.READY, Status.DOWNLOADED) else error
        for state, error in zip(states, job.sessions.spread([each.error for each in outcomes]), strict=True)
    ]
    columns = {
        **url_columns(job.sessions, outcomes),
        STATUS: as_array(states, "status"),
        ERROR: as_array(reasons, "string"),
    }
    return with_columns(job.frame, {name: columns[name] for name in _URL_COLUMNS}, prefix=job.prefix)
