"""The frame of `metrics`: one row of numbers a call, kept where the call's measures are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.frame.columns import as_array, sound_frame, with_columns
from kataven_notebook.numbers.definitions import ALL_COLUMNS, METRIC_COLUMNS
from kataven_notebook.numbers.measures import CallMeasures
from kataven_notebook.numbers.rows import UNKNOWN_AGENT, call_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kataven_notebook.frame.measuring import Measured
    from kataven_notebook.numbers.roles import AgentChannel

_LARGEST = 2**63
AGENT_CHANNEL, CONFIDENCE = "agent_channel", "agent_channel_confidence"


def number_columns(prefix: str, agent_channel: int | str) -> dict[str, str]:
    """Return names and dtypes of the columns that `metrics` adds beside status and error."""
    dtypes: dict[str, str] = {name: column.dtype for name, column in ALL_COLUMNS.items()}
    if agent_channel == prefix + AGENT_CHANNEL:
        del dtypes[AGENT_CHANNEL]  # the caller gives the channel in this very column
    return dtypes


def metrics_frame(df: pd.DataFrame, prefix: str, dtypes: Mapping[str, str], measured: Measured) -> pd.DataFrame:
    """Return the caller's frame with the numbers of each call."""
    frame = sound_frame(df, measured.sessions, measured.outcomes, prefix, with_audio=False)
    rows = _rows(measured)
    columns = {
        name: as_array(measured.sessions.spread([row.get(name) for row in rows]), dtype)
        for name, dtype in dtypes.items()
    }
    if prefix + "duration_s" in df.columns:
        # A call that could not be measured keeps the length that the frame has for it.
        known = pd.to_numeric(df[prefix + "duration_s"], errors="coerce").to_numpy("float64", na_value=np.nan)
        columns["duration_s"] = np.where(np.isnan(columns["duration_s"]), known, columns["duration_s"])
    return with_columns(frame, columns, prefix=prefix)


def _rows(measured: Measured) -> list[dict[str, Any]]:
    kept = _kept_rows(measured)
    rows: list[dict[str, Any]] = []
    fresh: dict[str, dict[str, dict[str, Any]]] = {}
    each = zip(measured.sessions.ids, measured.outcomes, measured.agents, measured.parties, strict=True)
    for session_id, outcome, agent, parties in each:
        found = outcome.value
        if not isinstance(found, CallMeasures):
            rows.append({"metrics_error": outcome.work_error})
            continue
        about = {"duration_s": found.duration_s, AGENT_CHANNEL: agent.channel, CONFIDENCE: agent.confidence}
        if parties is not None:
            rows.append({**about, **call_row(found, agent.channel, parties, why_no_agent=agent.reason)})
            continue
        numbers = kept.get(session_id)
        if numbers is None:
            numbers = call_row(found, agent.channel, why_no_agent=_WHY)
            fresh.setdefault(_name(agent), {})[session_id] = numbers
        rows.append({**about, **_with_reason(numbers, agent)})
    _keep_rows(measured, fresh)
    return rows


# A row takes ten times as long to make as to read. What is made of the whole frame is not kept: estimates, and why it
# is not known which channel is the agent, in whose place this stands.
_WHY = "(why no channel is the agent)"


def _name(agent: AgentChannel) -> str:
    return "row, no agent" if agent.channel is None else f"row, agent on {agent.channel}"


def _with_reason(numbers: dict[str, Any], agent: AgentChannel) -> dict[str, Any]:
    error = numbers["metrics_error"]
    if error is None or _WHY not in error:
        return numbers
    return {**numbers, "metrics_error": error.replace(_WHY, agent.reason or UNKNOWN_AGENT)}


def _kept_rows(measured: Measured) -> dict[str, dict[str, Any]]:
    """Return the rows that are kept, by session; of each for the agent's channel that it has in this frame."""
    wanted: dict[str, list[str]] = {}
    for session_id, agent, parties in zip(measured.sessions.ids, measured.agents, measured.parties, strict=True):
        if parties is None:
            wanted.setdefault(_name(agent), []).append(session_id)
    found: dict[str, dict[str, Any]] = {}
    for name, session_ids in wanted.items():
        data = measured.keeper.find_more(name, session_ids)
        found |= {each: row for each, text in data.items() if (row := _row_in(text)) is not None}
    return found


def _keep_rows(measured: Measured, rows: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    for name, by_session in rows.items():
        made = {session_id: _text_of(row) for session_id, row in by_session.items()}
        measured.keeper.keep_more(name, made)


def _text_of(row: Mapping[str, Any]) -> bytes:
    return json.dumps([each.item() if isinstance(each, np.generic) else each for each in row.values()]).encode()


def _row_in(text: bytes) -> dict[str, Any] | None:
    """Return a row, or None where it is none of these columns."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != len(METRIC_COLUMNS):
        return None
    dtypes = (each.dtype for each in METRIC_COLUMNS.values())
    return dict(zip(METRIC_COLUMNS, values, strict=True)) if all(map(_fits, values, dtypes)) else None


def _fits(value: object, dtype: str) -> bool:
    """Whether a value can stand in a column of numbers, or of text."""
    if dtype == "Int64":
        return value is None or (type(value) is int and abs(value) < _LARGEST)
    return value is None or isinstance(value, float if dtype == "float64" else str)
