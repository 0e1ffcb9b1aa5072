"""What the numbers say, as marks on the sound and as a list of moments to jump to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import as_text, recordings_of
from kataven_notebook.frame.measuring import known_measures
from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.hints import no_frame
from kataven_notebook.numbers.moments import moment_rows, slow_responses
from kataven_notebook.numbers.rows import turn_rows
from kataven_notebook.numbers.talk import dead_air
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_MAX_TEXT = 120
# Finding the moments of more calls than this would delay the first paint.
_MAX_CALLS = 300

Mark = dict[str, Any]


def text_of(value: object, *, max_length: int = _MAX_TEXT) -> str:
    """Return a cell's value as the text that the player shows; empty for a missing one.

    Examples
    --------
    >>> text_of(0.123456), text_of(14998.5), text_of(None), text_of(True)
    ('0.1235', '14998.5', '', 'True')
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float):
        # From a thousand on the whole part is shown: 14,998.5 is not 1.5e+04.
        return "" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:.10g}"
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ", timespec="seconds")
    text = encodable(str(value))
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


class Marks:
    """Marks and moments per session, from the tables of the metrics or of the caller.

    Parameters
    ----------
    session_column
        The caller's name of the session column, in all three tables.
    marks
        A frame with the session column, `start_s`, `end_s`, `label` and perhaps `channel`.
    moments
        A frame with the session column, `start_s` and `kind` (or `label`), worst first; perhaps
        `end_s` and `text`.
    turns
        The metrics' turn table.

    Raises
    ------
    FrameError
        A table is no frame, lacks a column that it needs, or has something else than numbers as times.
    """

    def __init__(
        self,
        session_column: Hashable,
        *,
        marks: pd.DataFrame | None = None,
        moments: pd.DataFrame | None = None,
        turns: pd.DataFrame | None = None,
    ) -> None:
        self._session = session_column
        self._marks = _grouped(marks, session_column, "marks", ("start_s", "end_s", "label"))
        self._turns = _grouped(turns, session_column, "turns", ("channel", "start_s", "end_s"))
        self.moments = self._listed(moments)

    def of(self, session_id: str, duration_s: float | None = None) -> list[Mark]:
        """Return the marks of one call, as the page draws them, in the order of their start.

        Where `duration_s` is not known, the call ends for them with its last turn.
        """
        found = [_own_mark(row) for row in self._marks(session_id)]
        turns = self._turns(session_id)
        for row in turns:
            found += _turn_marks(row)
        found += _silence_marks(turns, duration_s)
        return sorted(found, key=lambda mark: float(mark["start_s"]))

    def _listed(self, moments: pd.DataFrame | None) -> list[Mark]:
        if moments is None:
            return []
        kind = "kind" if "kind" in getattr(moments, "columns", ()) else "label"
        flat = _checked(moments, self._session, "moments", ("start_s", kind), numbers=("start_s",))
        return [
            {
                "session": encodable(str(row[self._session])),
                "start_s": _seconds(row["start_s"]) or 0.0,
                "kind": text_of(row[kind]).replace("_", " "),
                "detail": text_of(row.get("text", row.get("detail"))),
            }
            for row in flat.to_dict("records")
        ]


def _grouped(
    frame: pd.DataFrame | None, session: Hashable, name: str, columns: tuple[str, ...]
) -> Callable[[str], list[dict[Hashable, Any]]]:
    if frame is None:
        return lambda _: []
    flat = _checked(frame, session, name, columns, numbers=("start_s", "end_s", "channel"))
    # A row without a start can't be drawn, nor speech without a channel.
    flat = flat.dropna(subset=[each for each in ("start_s", "channel") if each in columns])
    # Positions only: the rows of 10,000 calls become objects when one of them is opened.
    groups = flat.groupby(as_text(flat[session]), sort=False, observed=True).indices
    return lambda session_id: flat.iloc[groups.get(session_id, [])].to_dict("records")


def _checked(
    frame: pd.DataFrame, session: Hashable, name: str, columns: tuple[str, ...], *, numbers: tuple[str, ...]
) -> pd.DataFrame:
    """Return a table with the session as a column, and of `numbers` what is there as numbers."""
    needed = (session, *columns)
    given: object = frame
    if not isinstance(given, pd.DataFrame):
        wanted = ", ".join(map(str, needed))
        raise FrameError(no_frame(f"{name}= takes a frame with the columns {wanted}: a DataFrame", given))
    lacking = [str(each) for each in needed if each not in [*frame.columns, *frame.index.names]]
    if lacking:
        have = ", ".join(str(each) for each in frame.columns) or "none"
        raise FrameError(f"{name}= lacks the column(s) {', '.join(lacking)}; it has {have}")
    flat = frame if all(each in frame.columns for each in needed) else frame.reset_index()
    return flat.assign(**{each: _numbers(flat[each], name) for each in numbers if each in flat.columns})


def _numbers(column: pd.Series[Any], table: str) -> pd.Series[Any]:
    if pd.api.types.is_timedelta64_dtype(column):
        return pd.Series(column.dt.total_seconds())
    try:
        # A time of day is no number of seconds, though pandas would make one of it.
        text = column.astype("string") if pd.api.types.is_datetime64_any_dtype(column) else column
        numbers = pd.to_numeric(text).to_numpy(dtype="float64", na_value=math.nan)
    except (TypeError, ValueError):
        what = "channels counted from 0" if column.name == "channel" else "seconds from the start of the call"
        raise FrameError(f"{table}= has something in {column.name!r} that is no number: pass {what}") from None
    return pd.Series(np.where(np.isfinite(numbers), numbers, math.nan), index=column.index)


def _own_mark(row: dict[Hashable, Any]) -> Mark:
    start = _seconds(row["start_s"]) or 0.0
    end = _seconds(row["end_s"])
    channel = row.get("channel")
    return {
        "kind": "mark",
        "label": text_of(row["label"]),
        "start_s": start,
        "end_s": start if end is None else end,
        "channel": None if channel is None or pd.isna(channel) else int(channel),
    }


def _turn_marks(row: dict[Hashable, Any]) -> list[Mark]:
    start, end = _seconds(row["start_s"]) or 0.0, _seconds(row["end_s"]) or 0.0
    role = text_of(row.get("role"))
    marks = [_mark("speech", role, start, end, int(row["channel"]))]
    overlap = _seconds(row.get("overlap_s")) or 0.0
    if overlap > 0:
        marks.append(_mark("overlap", "both speak", start, min(end, start + overlap)))
    if _truth(row.get("interrupts")):
        marks.append(_mark("interruption", f"{role or 'one'} interrupts", start, start))
    return marks


def _silence_marks(rows: list[dict[Hashable, Any]], duration_s: float | None) -> list[Mark]:
    """Return dead air and slow responses of the agent, as `metrics` and `moments` have them."""
    said: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        start, end = _seconds(row["start_s"]) or 0.0, _seconds(row["end_s"]) or 0.0
        said.setdefault(text_of(row.get("role")), []).append((start, end))
    if not said:
        return []
    last_s = max(end for spans in said.values() for _, end in spans)
    quiet = dead_air(said.values(), last_s if duration_s is None else max(duration_s, last_s))
    marks = [_mark("silence", f"{end - start:.1f} s of dead air", start, end) for start, end in quiet.tolist()]
    slow = slow_responses(said.get("caller", ()), said.get("agent", ()), quiet)
    return marks + [_mark("slow", f"answers after {late:.1f} s", start - late, start) for start, late in slow.tolist()]


def _mark(kind: str, label: str, start_s: float, end_s: float, channel: int | None = None) -> Mark:
    return {"kind": kind, "label": label, "start_s": start_s, "end_s": end_s, "channel": channel}


def _seconds(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 3)


def _truth(value: Any) -> bool:
    return value is not None and not pd.isna(value) and bool(value)


def tables_of_metrics(
    frame: pd.DataFrame, *, session: Any, prefix: str
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return the moments and turns of a frame that `metrics` has measured, or None for each.

    In this process or, where the sound lies in a store, in any; what they are of is what the frame's numbers are of.

    Nothing is measured here. For a frame of more than 300 calls the user passes `moments()`.
    """
    sounds = recordings_of(frame, prefix)
    if prefix + "speech_method" not in frame.columns or sum(each is not None for each in sounds) > _MAX_CALLS:
        return None, None
    channels = frame.get(prefix + "agent_channel")
    sessions = find_sessions(frame, session)
    moments: list[dict[Any, Any]] = []
    turns: list[dict[Any, Any]] = []
    rows = sessions.first_rows()
    methods = [None if pd.isna(each) else str(each) for each in frame[prefix + "speech_method"].iloc[rows]]
    known = known_measures([sounds[row] for row in rows], methods)
    for position, (row, found) in enumerate(zip(rows, known, strict=True)):
        if found is None:
            continue
        channel = None if channels is None or pd.isna(channels.iloc[row]) else int(channels.iloc[row])
        key: dict[Any, Any] = {session: sessions.ids[position]}
        moments += [{**key, **each} for each in moment_rows(found, channel)]
        turns += [{**key, **each} for each in turn_rows(found, channel)]
    worst = sorted(moments, key=lambda each: each["severity"], reverse=True)
    return (pd.DataFrame(worst) if worst else None), (pd.DataFrame(turns) if turns else None)
