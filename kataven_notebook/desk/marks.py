"""What the numbers say, as marks on the sound and as a list of moments to jump to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.frame.columns import recordings_of
from kataven_notebook.frame.measuring import known_measures
from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.frame.side_tables import as_listed, checked_table, grouped, tell_of_strangers
from kataven_notebook.numbers.moments import moment_rows, slow_responses
from kataven_notebook.numbers.rows import turn_rows
from kataven_notebook.numbers.talk import dead_air
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

_MAX_TEXT = 120
# Finding the moments of more calls than this would delay the first paint.
_MAX_CALLS = 300
# What is drawn of each kind of moment; any other kind is a mark of its own.
_KIND_OF = {
    "slow response": "slow",
    "interruption": "interruption",
    "dead air": "silence",
    "clipping": "clipping",
    "overlap": "overlap",
    "both speak": "overlap",
}
# Of one kind, and nearer than this: two tables tell of one moment.
_SAME_S = 0.05

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
        `end_s`, `channel` and `text`.
    turns
        The metrics' turn table.
    is_known
        Whether the player's frame has a session; moments and marks of others are not listed.
    place_of
        Where a session stands in the list: moments and marks are listed in that order, and not worst first. None
        leaves them as they come.

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
        is_known: Callable[[str], bool] = lambda _: True,
        place_of: Callable[[str], int | None] | None = None,
    ) -> None:
        kind = "kind" if "kind" in getattr(moments, "columns", ()) else "label"
        self._marks = grouped(marks, session_column, "marks", ("start_s", "end_s", "label"))
        self._turns = grouped(turns, session_column, "turns", ("channel", "start_s", "end_s"))
        self._moments = grouped(moments, session_column, "moments", ("start_s", kind))
        tables = {"marks": marks, "moments": moments, "turns": turns}
        tell_of_strangers({name: as_listed(each, session_column) for name, each in tables.items()}, is_known)
        self.moments = MomentList(
            _listed(moments, session_column, "moments", kind, is_known),
            _listed(marks, session_column, "marks", "label", is_known),
            place_of,
        )

    def of(self, session_id: str, duration_s: float | None = None) -> list[Mark]:
        """Return the marks of one call, as the page draws them, in the order of their start.

        Where `duration_s` is not known, the call ends for them with its last turn. A moment that the turns tell of
        too is there once.
        """
        found = [_own_mark(row) for row in self._marks(session_id)]
        turns = self._turns(session_id)
        for row in turns:
            found += _turn_marks(row)
        found += _silence_marks(turns, duration_s)
        starts: dict[str, list[float]] = {}
        for mark in found:
            starts.setdefault(mark["kind"], []).append(mark["start_s"])
        moments = (_moment_mark(row) for row in self._moments(session_id))
        found += [each for each in moments if not _is_near(each["start_s"], starts.get(each["kind"], ()))]
        return sorted(found, key=lambda mark: float(mark["start_s"]))

    def roles(self, session_id: str) -> dict[int, str]:
        """Return whose each channel of a call is, "agent" or "caller", as far as turns and moments say so."""
        said: dict[int, set[str]] = {}
        for row in (*self._turns(session_id), *self._moments(session_id)):
            role, channel = text_of(row.get("role")).casefold(), row.get("channel")
            if role in ("agent", "caller") and channel is not None and not pd.isna(channel):
                said.setdefault(int(channel), set()).add(role)
        return {channel: min(roles) for channel, roles in said.items() if len(roles) == 1}


class MomentList:
    """What a listener can jump to in any call: the moments, worst first, and then the caller's marks.

    Rows are made as they are asked for: of 10,000 moments the first paint shows fifty.
    """

    def __init__(
        self,
        moments: pd.DataFrame | None,
        marks: pd.DataFrame | None,
        place_of: Callable[[str], int | None] | None = None,
    ) -> None:
        self._parts = [each for each in (moments, marks) if each is not None and len(each)]
        heard = 0 if moments is None else len(moments)
        own = 0 if marks is None else len(marks)
        # The first is the worst, and the player opens on it.
        self.are_judged = heard > 0
        self.title = "Moments, worst first" if heard else "Marks"
        if heard and own:
            self.title = "Moments, worst first, and marks"
        if place_of is not None:
            self._parts = [_by_call(each, place_of) for each in self._parts]
            self.are_judged, self.title = False, self.title.replace(", worst first", "", 1).replace(", and", " and")

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def window(self, start: int, count: int) -> list[Mark]:
        """Return some of them: session, start_s, kind and detail."""
        rows: list[dict[Hashable, Any]] = []
        for part in self._parts:
            rows += part.iloc[max(0, start) : max(0, start + count)].to_dict("records")
            start -= len(part)
        return [
            {
                "session": row["session"],
                "start_s": _seconds(row["start_s"]) or 0.0,
                "kind": text_of(row["kind"]).replace("_", " "),
                "detail": text_of(row["detail"]),
            }
            for row in rows
        ]


def _listed(
    table: pd.DataFrame | None, session: Hashable, name: str, kind: str, is_known: Callable[[str], bool]
) -> pd.DataFrame | None:
    if table is None:
        return None
    flat = checked_table(table, session, name, ("start_s", kind), quiet=True)
    columns = {"session": as_listed(flat, session), "start_s": flat["start_s"], "kind": flat[kind]}
    detail = next((flat[each] for each in ("text", "detail") if each in flat.columns), None)
    listed = pd.DataFrame({**columns, "detail": detail})
    return listed[[is_known(each) for each in listed["session"]]]


def _by_call(listed: pd.DataFrame, place_of: Callable[[str], int | None]) -> pd.DataFrame:
    places = {each: place_of(each) for each in listed["session"].unique()}
    ordered = listed.assign(place=listed["session"].map(places))
    return ordered.sort_values(["place", "start_s"], kind="stable").drop(columns="place")


def _own_mark(row: dict[Hashable, Any]) -> Mark:
    start = _seconds(row["start_s"]) or 0.0
    end = _seconds(row.get("end_s"))
    channel = row.get("channel")
    return {
        "kind": "mark",
        "label": text_of(row["label"]),
        "start_s": start,
        "end_s": start if end is None else end,
        "channel": None if channel is None or pd.isna(channel) else int(channel),
    }


def _moment_mark(row: dict[Hashable, Any]) -> Mark:
    name = text_of(row.get("kind", row.get("label"))).replace("_", " ")
    kind = _KIND_OF.get(name.casefold(), "moment")
    label = name if kind == "moment" else text_of(row.get("text", row.get("detail"))) or name
    return {**_own_mark({**row, "label": label}), "kind": kind}


def _is_near(start_s: float, others: Sequence[float]) -> bool:
    return any(abs(each - start_s) <= _SAME_S for each in others)


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
