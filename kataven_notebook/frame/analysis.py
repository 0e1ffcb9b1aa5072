"""The functions on frames that measure: `metrics`, `turns`, `moments`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import FrameError
from kataven_notebook.frame.call_rows import metrics_frame, number_columns
from kataven_notebook.frame.columns import ERROR, STATUS, as_array
from kataven_notebook.frame.measuring import Measured, measure_all
from kataven_notebook.notices import warn_caller
from kataven_notebook.numbers.moments import moment_rows
from kataven_notebook.numbers.roles import MIN_CONFIDENCE
from kataven_notebook.numbers.rows import role_of, turn_rows
from kataven_notebook.run.plan import DEFAULT_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kataven_notebook.frame.options import Duration
    from kataven_notebook.numbers.measures import CallMeasures, MonoOption
    from kataven_notebook.run.work import ExecutorLike
    from kataven_notebook.settings import Settings
    from kataven_notebook.speech.detect import SpeechOption
    from kataven_notebook.speech.voice_windows import VoiceFunction
    from kataven_notebook.store.opening import StoreLike

_TURNS: Mapping[str, str] = {
    "turn": "Int64",
    "role": "string",
    "channel": "Int64",
    "start_s": "float64",
    "end_s": "float64",
    "kind": "string",
    "gap_before_s": "float64",
    "overlap_s": "float64",
    "interrupts": "boolean",
}
_MOMENTS: Mapping[str, str] = {
    "moment_id": "string",
    "kind": "string",
    "role": "string",
    "channel": "Int64",
    "start_s": "float64",
    "end_s": "float64",
    "severity": "float64",
    "text": "string",
}


@with_configured_names
def metrics(  # noqa: PLR0913 - the options of `audio`, and those of the measuring
    df: pd.DataFrame,
    *,
    agent_channel: int | str = "infer",
    speech: SpeechOption = "auto",
    mono: MonoOption = "withhold",
    voices: VoiceFunction | None = None,
    session: str = "session_id",
    store: StoreLike = None,
    executor: ExecutorLike = None,
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
    """Return the frame with about forty numbers per call: speech, conversation, signal quality.

    Works on the frame's `audio` column where there is one; else each recording is fetched,
    measured and dropped, so that memory stays flat, and with a store it needs no API twice. A
    number that can't be had is missing and never 0, and `metrics_error` says why.

    Parameters
    ----------
    df
        One row a session. Left as it is.
    agent_channel
        Which channel is the agent: 0, 1, the name of a column that says it per row (a column
        `agent_channel` is left as it is), or "infer": from the voice that the calls share, silence,
        noise and who speaks first, over the whole frame, so that many calls say more than one.
        Below a confidence of 0.8 it is missing, as are each party's numbers, `metrics_error`
        says why, and one `UserWarning` tells how many.
    speech
        How speech is found, as in `speech_intervals`.
    mono
        What becomes of recordings of one channel. "withhold", the default: they have no numbers per
        party. "estimate": talk times and their ratio, responses and the median response latency are
        estimated by telling the voices apart; `parties` is "estimated" there. See the notes.
    voices
        With `mono="estimate"`: a function of `(frames,)` float32 samples at 16 kHz that returns a
        vector, such as a speaker embedding; it takes the place of the package's own description of
        voices, and runs where the measuring does. Vectors are compared by direction.
    session, store, errors, refresh, max_bytes, verify, poll_pending, max_wait, in_flight, prefix, \
    progress, settings
        As for `audio`.
    executor
        Where the measuring runs, as in `apply`: by default threads of this process.

    Returns
    -------
    pandas.DataFrame
        A new frame with `recording_status`, `recording_error`, `duration_s`, `agent_channel`
        (Int64), `agent_channel_confidence` (float64, 0 to 1), and the numbers that
        `metric_definitions` defines: measures are float64, counts Int64, text string.

    Raises
    ------
    FrameError, ConfigurationError, SessionError, StoreError, Interrupted
        As for `audio`.
    MissingExtra
        As for `audio`; or `speech="silero"` where the model is not installed.
    WorkFailed
        A call could not be measured, with `errors="raise"`.

    Notes
    -----
    With `mono="estimate"` the agent is the voice that comes back from call to call while callers
    change. It takes at least 5 calls of one channel, and a fifth of all for each agent voice; who
    calls many agents himself would be taken for one. What is in doubt is withheld, and
    `metrics_error` says why: few calls, one voice, voices that are too alike, a third voice, noise
    or music. On 504 synthetic calls in twelve conditions, drawn after all limits were fixed
    (``python benchmarks/mono.py --seeds 200 201 202``), 367 were answered, all with the right agent;
    of these, talk ratio was off by more than 0.10 in 4, the caller's talk time by more than
    15 % + 1 s in 8, and of 286 with responses their number by more than 15 % + 1 in 4 and the median
    latency by more than 10 % + 0.15 s in 7.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> with kn.demo.hub() as hub:
    ...     calls = kn.metrics(hub.sessions, settings=hub.settings, progress=False)
    >>> bool(calls["response_latency_p50_s"].median() < 3)
    True
    """
    names = number_columns(prefix, agent_channel)
    build = functools.partial(metrics_frame, df, prefix, names)
    measured = measure_all(
        df,
        agent_channel=agent_channel,
        speech=speech,
        mono=mono,
        voices=voices,
        session=session,
        executor=executor,
        errors=errors,
        refresh=refresh,
        prefix=prefix,
        progress=progress,
        names=(STATUS, ERROR, *names),
        build=build,
        options={
            "settings": settings,
            "store": store,
            "max_bytes": max_bytes,
            "verify": verify,
            "poll_pending": poll_pending,
            "max_wait": max_wait,
            "in_flight": in_flight,
        },
    )
    _warn_of_unknown_agents(measured, agent_channel, "numbers per party")
    return build(measured)


@with_configured_names
def turns(
    df: pd.DataFrame,
    *,
    agent_channel: int | str = "infer",
    speech: SpeechOption = "auto",
    session: str = "session_id",
    store: StoreLike = None,
    executor: ExecutorLike = None,
    errors: Literal["capture", "raise"] = "capture",
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_wait: Duration = None,
    in_flight: int | None = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Return who spoke when: one row per turn and backchannel of every call.

    Ready for `groupby` and for `merge` with the caller's frame. What `metrics` has measured on the
    same `audio` column is not measured again.

    Parameters
    ----------
    df, agent_channel, speech, session, store, executor, errors, max_bytes, max_wait, in_flight, \
    prefix, progress, settings
        As for `metrics`.

    Returns
    -------
    pandas.DataFrame
        The session column (under the caller's name), `turn` (Int64, from 0), `role` ("agent",
        "caller", or missing where that isn't known), `channel` (Int64), `start_s`, `end_s`
        (float64), `kind` ("turn", "interruption", "backchannel"), `gap_before_s`, `overlap_s`
        (float64), `interrupts` (boolean). Calls without sound or with one channel have no rows.

    Raises
    ------
    FrameError, ConfigurationError, SessionError, StoreError, MissingExtra, Interrupted, WorkFailed
        As for `metrics`; also where the session column has the name of another column of the result.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> with kn.demo.hub() as hub:
    ...     talk = kn.turns(hub.sessions, settings=hub.settings, progress=False)
    >>> sorted(talk["role"].dropna().unique())
    ['agent', 'caller']
    """
    return _long_table(
        df,
        turn_rows,
        _TURNS,
        agent_channel=agent_channel,
        speech=speech,
        session=session,
        executor=executor,
        errors=errors,
        prefix=prefix,
        progress=progress,
        options={
            "settings": settings,
            "store": store,
            "max_bytes": max_bytes,
            "max_wait": max_wait,
            "in_flight": in_flight,
        },
    )


@with_configured_names
def moments(
    df: pd.DataFrame,
    *,
    agent_channel: int | str = "infer",
    speech: SpeechOption = "auto",
    session: str = "session_id",
    store: StoreLike = None,
    executor: ExecutorLike = None,
    errors: Literal["capture", "raise"] = "capture",
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_wait: Duration = None,
    in_flight: int | None = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Return the moments worth hearing, worst first: slow responses, interruptions, dead air, clipping.

    What the player opens on. `severity` is one scale for all kinds: how long it lasts over the length at
    which a listener takes it for trouble (1.5 s of silence, be it before a response or dead air, 0.5 s of two
    talking at once, 0.5 s of clipping), at most 10. Slow responses are listed from 1.5 s on; from 3 s on they are
    dead air, of which there is as much as `dead_air_count` says. Of clipping each channel's worst place is listed.

    Parameters
    ----------
    df, agent_channel, speech, session, store, executor, errors, max_bytes, max_wait, in_flight, \
    prefix, progress, settings
        As for `metrics`.

    Returns
    -------
    pandas.DataFrame
        The session column (under the caller's name), `moment_id`, `kind`, `role` (string), `channel`
        (Int64, missing for dead air), `start_s`, `end_s`, `severity` (float64) and `text` (string).
        `moment_id` ("m" and twelve letters or digits) is made of the sound's checksum, the kind, the
        channel and the place to a tenth of a second: the same in every run, on every machine, for sound in
        a folder, a bucket or memory, so that a finding can be cited and looked up. Sessions with the very
        same file share ids, and a file that was converted has others. Of a million moments of other sound two
        have the same id with a probability of 4 in 10 million. `clips` cuts them out.

    Raises
    ------
    FrameError, ConfigurationError, SessionError, StoreError, MissingExtra, Interrupted, WorkFailed
        As for `metrics`; also where the session column has the name of another column of the result.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> with kn.demo.hub() as hub:
    ...     worst = kn.moments(hub.sessions, settings=hub.settings, progress=False)
    >>> bool(worst["severity"].is_monotonic_decreasing)
    True
    """
    found = _long_table(
        df,
        _moment_rows,
        _MOMENTS,
        agent_channel=agent_channel,
        speech=speech,
        session=session,
        executor=executor,
        errors=errors,
        prefix=prefix,
        progress=progress,
        options={
            "settings": settings,
            "store": store,
            "max_bytes": max_bytes,
            "max_wait": max_wait,
            "in_flight": in_flight,
        },
    )
    return found.sort_values("severity", ascending=False, kind="stable", ignore_index=True)


def _long_table(
    df: pd.DataFrame,
    rows_of: Callable[[CallMeasures, int | None], list[dict[str, Any]]],
    dtypes: Mapping[str, str],
    *,
    session: str,
    agent_channel: int | str,
    **options: Any,
) -> pd.DataFrame:
    """Measure every call and return its rows in one table, whose columns have their dtypes also without a row."""
    # The session ids would be lost under a column of that name.
    if session in dtypes:
        raise FrameError(f"the result has a column {session!r} of its own: rename the column of the session ids")
    measured = measure_all(df, session=session, agent_channel=agent_channel, **options)
    _warn_of_unknown_agents(measured, agent_channel, "roles")
    found = [(session_id, row) for session_id, call, agent in measured.calls() for row in rows_of(call, agent)]
    columns: dict[str, Any] = {session: as_array([session_id for session_id, _ in found], "string")}
    columns |= {name: as_array([row[name] for _, row in found], dtype) for name, dtype in dtypes.items()}
    return pd.DataFrame(columns)


def _moment_rows(measures: CallMeasures, agent: int | None) -> list[dict[str, Any]]:
    return [
        {"role": role_of(row["channel"], agent) if isinstance(row["channel"], int) else None, **row}
        for row in moment_rows(measures, agent)
    ]


def _warn_of_unknown_agents(measured: Measured, agent_channel: int | str, missing: str) -> None:
    unsure = sum(agent is None and measures.parties is not None for _, measures, agent in measured.calls())
    if unsure and agent_channel == "infer":
        warn_caller(
            f"for {unsure} of {len(measured.sessions.ids)} calls it is uncertain which channel is the agent "
            f"(confidence below {MIN_CONFIDENCE}): their {missing} are missing. Pass agent_channel=0 or 1, or the "
            "name of a column that holds it"
        )
