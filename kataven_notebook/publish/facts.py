"""What was measured on how many calls: the counts that a report begins with, and how its numbers were made."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook._version import __version__
from kataven_notebook.frame.columns import AUDIO, EXPIRES_AT, statuses, times_s
from kataven_notebook.notices import counted
from kataven_notebook.numbers.measures import VERSION
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kataven_notebook.frame.sessions import Sessions

# Columns of text that hold times, by the names that systems give them.
_TIMES = ("started_at", "start_time", "started", "created_at", "timestamp", "call_time", "datetime", "date", "time")
_MOSTLY = 0.9
_LIBRARIES = ("numpy", "pandas", "scipy", "soundfile")

MEANINGS = {
    Status.READY: "a URL of the recording is signed; the sound was not fetched",
    Status.DOWNLOADED: "the sound is there and was verified",
    Status.MISSING: "the session has no recording",
    Status.PENDING: "the recording was not uploaded yet",
    Status.INVALID: "the session id can't be one",
    Status.REFUSED: "the service refused the credentials",
    Status.UNCONFIGURED: "recording playback is not enabled for the account",
    Status.LIMITED: "the service's limits did not allow to ask in time",
    Status.EXPIRED: "the storage refused the signed URL as expired",
    Status.CORRUPT: "the file is empty, cut short or no sound",
    Status.UNSUPPORTED: "the format can't be read by the installation that asked",
    Status.TOO_LARGE: "the recording is larger than was allowed",
    Status.FAILED: "the recording could not be fetched, also when asked again",
    Status.SKIPPED: "the recording was not asked for: the run was stopped",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """The counts of a frame.

    Parameters
    ----------
    rows, sessions
        Rows, and different session ids in them.
    measured
        Sessions that have numbers of `metrics`; None where the frame has no such columns.
    sound_s
        Seconds of sound of all sessions; None where that isn't known.
    period
        The first and the last date, and the column that says so; None where no column does.
    status_counts
        Rows of each status, the most frequent first; empty where the frame has none.
    made_with
        What the numbers were made with, as pairs of a name and a text.
    """

    rows: int
    sessions: int
    measured: int | None
    sound_s: float | None
    period: tuple[str, str, str] | None
    status_counts: list[tuple[Status, int]]
    made_with: list[tuple[str, str]]


def facts_of(df: pd.DataFrame, sessions: Sessions, prefix: str) -> Facts:
    """Return the counts of a frame.

    Examples
    --------
    >>> from kataven_notebook.frame.sessions import find_sessions
    >>> frame = pd.DataFrame({"session_id": ["a", "b", "b"], "duration_s": [60.0, 30.0, 30.0]})
    >>> facts = facts_of(frame, find_sessions(frame, "session_id"), "")
    >>> facts.rows, facts.sessions, facts.sound_s, facts.period
    (3, 2, 90.0, None)
    """
    once = once_each(df, sessions, prefix)
    found = pd.Series([each for each in statuses(df, prefix) if each in set(Status)], dtype=object).value_counts()
    method = _column(once, prefix + "speech_method")
    return Facts(
        rows=len(df),
        sessions=sum(isinstance(each, str) for each in sessions.ids),
        measured=None if method is None else int(method.notna().sum()),
        sound_s=_sound_s(once, prefix),
        period=_period(df, prefix),
        status_counts=[(Status(str(name)), int(count)) for name, count in found.items()],
        made_with=[*_measuring(once, prefix), *_versions()],
    )


def once_each(df: pd.DataFrame, sessions: Sessions, prefix: str) -> pd.DataFrame:
    """Return one row of each session: the first that says how long its sound is, where one does."""
    column = _column(df, prefix + "duration_s")
    is_told = np.zeros(len(df), dtype=np.bool_) if column is None else column.notna().to_numpy(dtype=np.bool_)
    return df.iloc[sessions.first_rows(is_told)]


def _column(df: pd.DataFrame, name: str) -> pd.Series[Any] | None:
    if name not in df.columns:
        return None
    column = df.loc[:, name]
    return column if isinstance(column, pd.Series) else None


def _sound_s(once: pd.DataFrame, prefix: str) -> float | None:
    column = _column(once, prefix + "duration_s")
    if column is not None and pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        return float(values[np.isfinite(values)].sum()) if np.isfinite(values).any() else None
    sounds = _column(once, prefix + AUDIO)
    lengths = [] if sounds is None else [getattr(each, "duration_s", None) for each in sounds]
    known = [each for each in lengths if isinstance(each, float)]
    return sum(known) if known else None


def _period(df: pd.DataFrame, prefix: str) -> tuple[str, str, str] | None:
    names = [name for name in df.columns[~df.columns.duplicated(keep=False)] if name != prefix + EXPIRES_AT]
    timed = [name for name in names if pd.api.types.is_datetime64_any_dtype(df.dtypes[name])]
    timed += [name for wanted in _TIMES for name in names if str(name).lower() == wanted and name not in timed]
    for name in timed:
        if pd.api.types.is_numeric_dtype(df.dtypes[name]):
            continue  # seconds of something
        times = [each for each in times_s(df, name) if each is not None]
        if times and len(times) >= _MOSTLY * int(df[name].notna().sum()):
            first, last = (pd.Timestamp(each, unit="s").strftime("%Y-%m-%d") for each in (min(times), max(times)))
            return first, last, str(name)
    return None


def _measuring(once: pd.DataFrame, prefix: str) -> list[tuple[str, str]]:
    """Return how speech and parties were found, as the frame says."""
    told = []
    for name, label in (("speech_method", "Speech found by"), ("parties", "Parties told apart by")):
        column = _column(once, prefix + name)
        if column is not None and column.notna().any():
            counts = column.dropna().astype(str).value_counts()
            told.append((label, ", ".join(f"{each} ({counted(int(count), 'call')})" for each, count in counts.items())))
    sure = _column(once, prefix + "agent_channel_confidence")
    if sure is not None and pd.api.types.is_numeric_dtype(sure.dtype):
        values = sure.to_numpy(dtype="float64", na_value=np.nan)
        known = values[np.isfinite(values) & (values > 0)]
        if len(known):
            told.append(("Agent's channel", f"known with a confidence of {np.median(known):.2f} (median)"))
    return [*told, ("Version of the measurement", str(VERSION))] if told else told


def _versions() -> list[tuple[str, str]]:
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    return [("kataven-notebook", __version__), ("Python", f"{platform.python_version()}, {libraries}")]


def group_sizes(df: pd.DataFrame, by: Sequence[Any]) -> dict[Any, int]:
    """Return how many rows each group has, in the order of its values; rows without a group are left out."""
    counts = df.groupby(list(by), sort=True, observed=True).size()
    return {key if isinstance(key, tuple) else (key,): int(count) for key, count in counts.items()}
