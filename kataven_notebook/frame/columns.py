"""The columns that this package adds: their names and dtypes, whose they are, and how they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.run.plan import Outcome

STATUS, ERROR = "recording_status", "recording_error"
URL, EXPIRES_AT = "recording_url", "recording_expires_at"
AUDIO = "audio"
# The columns that describe sound, and the attribute of `Recording` in each.
SOUND: Mapping[str, str] = {
    "recording_format": "format",
    "duration_s": "duration_s",
    "sample_rate": "sample_rate",
    "channels": "channels",
    "recording_bytes": "size_bytes",
}

DTYPES: Mapping[str, str] = {
    STATUS: "status",
    ERROR: "string",
    URL: "string",
    EXPIRES_AT: "time",
    AUDIO: "object",
    "recording_format": "string",
    "duration_s": "float64",
    "sample_rate": "Int64",
    "channels": "Int64",
    "recording_bytes": "Int64",
}
_STATUSES = [each.value for each in Status]
# The names of the columns that we added travel with the frame.
_ATTRS = "kataven_notebook"


def as_array(values: Sequence[Any] | npt.NDArray[np.object_], dtype: str) -> Any:
    """Make a column's array of plain values, None where missing."""
    if dtype == "status":
        return pd.Categorical([None if v is None else str(v) for v in values], categories=_STATUSES)
    if dtype == "time":
        seconds = pd.array([None if v is None else v for v in values], dtype="Float64")
        return pd.to_datetime(pd.Series(seconds), unit="s", utc=True).dt.as_unit("us").array
    if dtype == "float64":
        return np.array([np.nan if v is None else v for v in values], dtype="float64")
    if dtype == "object":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    return pd.array([None if v is pd.NA or v is None or v != v else v for v in values], dtype=dtype)  # type: ignore[call-overload]  # noqa: PLR0124 - NaN differs from itself; the dtype is one of ours


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any], *, prefix: str) -> pd.DataFrame:
    """Return `frame` with columns set, the caller's untouched, and note that they are ours."""
    result = frame.copy(deep=False)
    # By position, whatever the index is: its labels may repeat.
    for name, values in columns.items():
        result[prefix + name] = values
    ours = [*frame.attrs.get(_ATTRS, ()), *(prefix + name for name in columns)]
    result.attrs = {**frame.attrs, _ATTRS: list(dict.fromkeys(ours))}
    return result


def check_names(
    frame: pd.DataFrame, names: Iterable[str], *, prefix: str, own_session: str, if_noted: bool = False
) -> None:
    """Refuse to overwrite a column of the caller's.

    With `if_noted` a column is ours only where the frame says so: for names that a caller's function made up.

    Raises
    ------
    FrameError
        A column that we would write is there and is not ours, or `prefix` is no text.
    """
    check_prefix(prefix)
    noted = set(frame.attrs.get(_ATTRS, ()))
    taken = [
        prefix + name
        for name in names
        if prefix + name in frame.columns
        and prefix + name not in noted
        and (if_noted or not _looks_ours(frame, name, prefix))
    ]
    if prefix + STATUS == own_session or own_session in {prefix + name for name in names}:
        raise FrameError(
            f"the session ids stand in {own_session!r}, which this would overwrite: rename it, or pass prefix="
        )
    if taken:
        listed = ", ".join(repr(each) for each in taken)
        raise FrameError(
            f"the frame has columns of its own named {listed}, which would be overwritten: pass prefix='kataven_' "
            "(or rename them)"
        )


def check_prefix(prefix: object) -> None:
    """Refuse a prefix that can't stand before a name.

    Raises
    ------
    FrameError
        It is no text.
    """
    if not isinstance(prefix, str):
        raise FrameError(f'prefix={prefix!r}: pass text, such as "kataven_", or "" for none')


def _looks_ours(frame: pd.DataFrame, name: str, prefix: str) -> bool:
    """Tell our columns after a round trip through a file or a merge, which forget what was noted."""
    if int((frame.columns == prefix + name).sum()) > 1:
        return False
    column = frame[prefix + name]
    if name == STATUS:
        return bool(column.dropna().astype(str).isin(_STATUSES).all())
    if name == AUDIO:
        return all(_was_sound(each) for each in column)
    status = frame.get(prefix + STATUS)
    if not isinstance(status, pd.Series) or not _looks_ours(frame, STATUS, prefix):
        return False
    # What stands beside our status and another column that the same function writes was written by it.
    pairs = {ERROR: STATUS, URL: EXPIRES_AT, EXPIRES_AT: URL, "recording_format": "recording_bytes"}
    marks = [pairs.get(name, "recording_format")] if name in DTYPES else []
    if name not in DTYPES or name == "duration_s":
        marks.append("speech_method")
    return any(prefix + mark in frame.columns for mark in marks)


def _was_sound(cell: object) -> bool:
    # A file of text keeps of a recording what its repr says: no sound, but nothing of the caller's either.
    if isinstance(cell, str):
        return cell.startswith("<Recording ")
    return isinstance(cell, Recording) or cell is None or cell != cell  # noqa: PLR0124 - NaN differs from itself


def statuses(frame: pd.DataFrame, prefix: str) -> Sequence[Any]:
    """Return the status of each row as plain strings, None where there is none or the column is not there."""
    return texts(frame, prefix + STATUS)


def texts(frame: pd.DataFrame, name: str) -> Sequence[Any]:
    """Return a text column as plain strings, None where missing or not there."""
    if name not in frame.columns:
        return [None] * len(frame)
    column = frame[name].astype(object)
    return column.where(column.notna(), None).tolist()


def times_s(frame: pd.DataFrame, name: str) -> Sequence[float | None]:
    """Return a column of times as seconds since the epoch, None where missing or no time."""
    if name not in frame.columns:
        return [None] * len(frame)
    times = pd.to_datetime(
        frame[name], utc=True, errors="coerce", format="mixed" if frame[name].dtype == object else None
    )
    return [None if pd.isna(time) else time.timestamp() for time in times]


def recordings_of(frame: pd.DataFrame, prefix: str) -> Sequence[Recording | None]:
    """Return the recording of each row, None where there is none or the column is not there."""
    if prefix + AUDIO not in frame.columns:
        return [None] * len(frame)
    return [each if isinstance(each, Recording) else None for each in frame[prefix + AUDIO]]


def url_columns(sessions: Sessions, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the columns of signed URLs, from one outcome a session."""
    urls = [each.signed.url if each.signed else None for each in outcomes]
    ends = [each.signed.expires_at if each.signed else None for each in outcomes]
    return {
        URL: as_array(sessions.spread(urls), DTYPES[URL]),
        EXPIRES_AT: as_array(sessions.spread(ends), DTYPES[EXPIRES_AT]),
    }


def sound_frame(
    frame: pd.DataFrame, sessions: Sessions, outcomes: Sequence[Outcome], prefix: str, *, with_audio: bool = True
) -> pd.DataFrame:
    """Return `frame` with status and error, and with the sound and what is known of it, from one outcome a session.

    Parameters
    ----------
    frame, sessions
        The caller's frame and its sessions.
    outcomes
        In the order of `sessions.ids`.
    prefix
        Before the names of our columns.
    with_audio
        False leaves out the sound and what is known of it.
    """
    values: dict[str, list[Any]] = {
        STATUS: [each.status for each in outcomes],
        ERROR: [each.error for each in outcomes],
    }
    if with_audio:
        sounds = [each.recording for each in outcomes]
        values = {AUDIO: sounds, **values}
        for name, attribute in SOUND.items():
            values[name] = [None if sound is None else getattr(sound, attribute) for sound in sounds]
    columns = {name: as_array(sessions.spread(each), DTYPES[name]) for name, each in values.items()}
    if prefix + URL in frame.columns:
        columns |= url_columns(sessions, outcomes)
    return with_columns(frame, columns, prefix=prefix)
