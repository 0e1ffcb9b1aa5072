"""The columns that this package adds: their names and dtypes, whose they are, and how they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.recording_array import RecordingArray, RecordingDtype, recordings_in_column
from kataven_notebook.frame.references import Reference
from kataven_notebook.numbers.definitions import ALL_COLUMNS
from kataven_notebook.redact import encodable, one_line
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.run.plan import Outcome

STATUS, ERROR = "recording_status", "recording_error"
URL, EXPIRES_AT = "recording_url", "recording_expires_at"
AUDIO = "audio"
APPLY_ERROR = "apply_error"
CLIP_ID = "clip_id"
"""The names of clips, which stand for sessions where clips go on: no store and no service knows them."""
CLIP_START, CLIP_END = "clip_start_s", "clip_end_s"
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
    AUDIO: "recording",
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
    if dtype in ("object", "recording"):
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array if dtype == "object" else RecordingArray(array)
    plain = [None if v is pd.NA or v is None or v != v else v for v in values]  # noqa: PLR0124 - NaN differs from itself
    try:
        return pd.array(plain, dtype=dtype)  # type: ignore[call-overload]  # the dtype is one of ours
    except UnicodeEncodeError:
        # Arrow holds no half characters, and one row's text must not cost the frame.
        return pd.array([encodable(v) if isinstance(v, str) else v for v in plain], dtype=dtype)  # type: ignore[call-overload]


def as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as text, whatever it holds."""
    try:
        return column.astype("string")
    except UnicodeEncodeError:
        return with_texts_spelled(column.astype(object)).astype("string")


def with_texts_spelled(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of objects whose texts can be held anywhere, as `encodable` spells them; any other as it is."""
    if not pd.api.types.is_object_dtype(column):
        return column
    plain = [encodable(value) if isinstance(value, str) else value for value in column]
    return pd.Series(plain, index=column.index, dtype=object, name=column.name)


def table_with_texts_spelled(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table, each of its columns as `with_texts_spelled` returns it; no two have one name."""
    result = table.copy(deep=False)
    for name in table.columns:
        result[name] = with_texts_spelled(table[name])
    return result


def _is_object(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype == object


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any], *, prefix: str) -> pd.DataFrame:
    """Return `frame` with columns set, the caller's untouched, and note that they are ours."""
    result = frame.copy(deep=False)
    # By position, whatever the index is: its labels may repeat. All that are new at once: pandas warns of a frame
    # whose columns came one by one.
    new = {
        # An array of objects stays one: from texts pandas would make a column of text, which holds no half characters.
        prefix + name: pd.Series(values, index=frame.index, dtype=object) if _is_object(values) else values
        for name, values in columns.items()
        if prefix + name not in frame.columns
    }
    for name, values in columns.items():
        if prefix + name not in new:
            result[prefix + name] = values
    if new:
        named = result.columns.names
        # With what a subclass keeps beside its columns.
        result = pd.concat([result, pd.DataFrame(new, index=result.index)], axis=1).__finalize__(frame)  # type: ignore[operator]  # the stubs take it for a column
        result.columns.names = named
    ours = [*frame.attrs.get(_ATTRS, ()), *(prefix + name for name in columns)]
    result.attrs = {**frame.attrs, _ATTRS: list(dict.fromkeys(ours))}
    return result


def check_names(
    frame: pd.DataFrame, names: Iterable[str], *, prefix: str, own_session: str, if_noted: bool = False
) -> None:
    """Refuse to overwrite a column of the caller's.

    What the frame notes of our columns travels with pandas' `attrs` to subsets and other frames, so that it proves
    nothing by itself: a column is ours where it agrees with those that the same function writes. With `if_noted` it
    must be noted too: for names that a caller's function made up.

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
        and not (_was_made_up(frame, name, noted, prefix) if if_noted else _looks_ours(frame, name, prefix))
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


def refuse_clips(frame: pd.DataFrame, session: Hashable, *, prefix: str) -> None:
    """Refuse clips where calls belong: one sound of a call would be taken for all of it, or the call for its clips.

    Raises
    ------
    FrameError
        The frame is one that `clips` made, and its session column names the calls.
    """
    if session != prefix + CLIP_ID and {prefix + each for each in (AUDIO, CLIP_START, CLIP_END)} <= set(frame.columns):
        raise FrameError(
            f"the frame holds clips, and {session!r} names the calls that they are of: pass "
            f"session={prefix + CLIP_ID!r}, which names each clip, or the frame of the calls"
        )


def refuse_two_sounds(frame: pd.DataFrame, sessions: Sessions, prefix: str) -> None:
    """Refuse a session whose rows hold several sounds: the numbers of one would stand beside the other.

    Raises
    ------
    FrameError
        There is one.
    """
    if len(sessions.ids) == len(sessions.codes) or prefix + AUDIO not in frame.columns:
        return
    known: dict[int, Recording] = {}
    for code, recording in zip(sessions.codes.tolist(), recordings_of(frame, prefix), strict=True):
        if recording is None:
            continue
        other = known.setdefault(code, recording)
        # A merge or a file gives each row an object of its own, of the same sound.
        if (other.size_bytes, other.frames) != (recording.size_bytes, recording.frames):
            raise FrameError(
                f"{sessions.name!r} has {one_line(repr(sessions.ids[code]), most_chars=60)} in several rows with other "
                f"sound in each ({other.duration_s:.1f} s and {recording.duration_s:.1f} s): give each recording an id "
                "of its own, or drop the rows that are not meant"
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
        return isinstance(column.dtype, RecordingDtype) or all(_was_sound(each) for each in column)
    status = frame.get(prefix + STATUS)
    is_beside_status = isinstance(status, pd.Series) and _looks_ours(frame, STATUS, prefix)
    return is_beside_status and _agrees(frame, name, prefix)


def _agrees(frame: pd.DataFrame, name: str, prefix: str) -> bool:
    """Return whether a column beside our status was written by the function that writes it."""
    if not _holds(frame[prefix + name], name):
        return False
    if name == APPLY_ERROR:
        return True
    if name == ERROR:
        # We give no reason where nothing is wrong.
        is_good = frame[prefix + STATUS].astype(object).isin([Status.READY, Status.DOWNLOADED])
        return not bool((is_good & frame[prefix + name].notna()).any())
    if name in SOUND and _agrees_with_sound(frame, name, prefix):
        return True
    # What stands beside our status and another column that the same function writes was written by it.
    marks = {URL: {EXPIRES_AT}, EXPIRES_AT: {URL}}.get(name, set())
    if name in ALL_COLUMNS:
        marks |= {"speech_method", "metrics_error", "agent_channel_confidence"} - {name}
    return any(prefix + mark in frame.columns for mark in marks)


def _holds(column: pd.Series[Any], name: str) -> bool:
    """Return whether a column holds what ours of that name does, numbers or text, in whatever dtype a file left it."""
    dtype = ALL_COLUMNS[name].dtype if name in ALL_COLUMNS else DTYPES.get(name, "string")
    if dtype in ("float64", "Int64"):
        return bool(pd.to_numeric(column, errors="coerce").notna().eq(column.notna()).all())
    if dtype != "string" or isinstance(column.dtype, pd.StringDtype):
        return True
    return all(isinstance(each, str) for each in column.dropna())


def _agrees_with_sound(frame: pd.DataFrame, name: str, prefix: str) -> bool:
    """Return whether a column says of the sound what we would, or is missing where the others that describe it are."""
    column = frame[prefix + name]
    told = [
        (value, getattr(sound, SOUND[name]))
        for value, sound in zip(column, recordings_of(frame, prefix), strict=True)
        if sound is not None
    ]
    if told:
        # Some rows may hold other sound by now, such as a slice; a column of the caller's agrees with none.
        return any(value == mine for value, mine in told)
    others = [prefix + other for other in SOUND if other != name and prefix + other in frame.columns]
    # Only sound that is here is described. But where all columns are there that describe it, a later run that took
    # no sound may have changed the status alone.
    is_here = frame[prefix + STATUS].astype(object).eq(Status.DOWNLOADED)
    if len(others) < len(SOUND) - 1 and bool((column.notna() & ~is_here).any()):
        return False
    return any(bool((frame[other].isna() == column.isna()).all()) for other in others)


def _was_made_up(frame: pd.DataFrame, name: str, noted: set[str], prefix: str) -> bool:
    """Return whether a caller's function made a column: it is noted, and the reasons of `apply` stand beside it."""
    return prefix + name in noted and prefix + APPLY_ERROR in frame.columns


def _was_sound(cell: object) -> bool:
    # A file of text keeps of a recording what its repr says: no sound, but nothing of the caller's either.
    if isinstance(cell, str):
        return cell.startswith("<Recording ")
    is_sound = isinstance(cell, Recording) or Reference.is_written_in(cell)
    return is_sound or cell is None or cell != cell  # noqa: PLR0124 - NaN differs from itself


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
    column = frame[name]
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        times = pd.to_datetime(column, utc=True, errors="coerce")
    else:
        # Each by itself: a file or two frames put together have times of several precisions.
        times = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
        if (times.isna() & column.notna()).any():
            times = pd.to_datetime(column, utc=True, errors="coerce", format="mixed")
    return [None if pd.isna(time) else time.timestamp() for time in times]


def recordings_of(frame: pd.DataFrame, prefix: str) -> Sequence[Recording | None]:
    """Return the recording of each row, None where there is none or the column is not there."""
    if prefix + AUDIO not in frame.columns:
        return [None] * len(frame)
    return recordings_in_column(frame[prefix + AUDIO])


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
