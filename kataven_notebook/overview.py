"""What `df.kataven` shows: what the frame has already, and what can be done with it."""

from __future__ import annotations

import inspect
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.frame.columns import AUDIO, STATUS
from kataven_notebook.hints import SESSION_NAMES, did_you_mean
from kataven_notebook.notices import counted
from kataven_notebook.redact import one_line
from kataven_notebook.settings import configured_name
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Groups = Mapping[str, Sequence[tuple[str, Callable[..., Any]]]]

_MEASURED = "speech_method"


def as_text(frame: pd.DataFrame, groups: Groups) -> str:
    """Return the frame's standing and the methods, a line each.

    Parameters
    ----------
    frame
        Any frame.
    groups
        The methods of each group by their names.
    """
    width = max(len(name) for methods in groups.values() for name, _ in methods)
    lines = [f"<kataven: {standing(frame)}>"]
    for group, methods in groups.items():
        lines += [group, *(f"  {name:<{width}}  {_purpose(method)}" for name, method in methods)]
    return "\n".join([*lines, "help(df.kataven.audio), and so on, says all"])


def as_html(frame: pd.DataFrame, groups: Groups) -> str:
    """Return the same as a table, in the page's own colours."""
    rows = [
        (group if at == 0 else "", f"<code>{escape(name)}</code>", escape(_purpose(method)))
        for group, methods in groups.items()
        for at, (name, method) in enumerate(methods)
    ]
    table = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<div><b>kataven</b>: {escape(standing(frame))}<table>{table}</table></div>"


def _cell(html: str) -> str:
    return f'<td style="text-align:left;vertical-align:top">{html}</td>'


def standing(frame: pd.DataFrame) -> str:
    """Return what the frame has: rows, sessions, statuses, recordings and numbers.

    Examples
    --------
    >>> standing(pd.DataFrame({"session_id": ["a", "b", "b"], "recording_status": ["missing"] * 3}))
    '3 rows, 2 sessions; 3 missing'
    """
    prefix = configured_name("prefix") or ""
    known = set(Status)
    states = Counter(str(each) for each in _cells(frame, prefix + STATUS) if isinstance(each, str) and each in known)
    sounds = sum(isinstance(each, Recording) for each in _cells(frame, prefix + AUDIO))
    parts = [
        f"{counted(len(frame), 'row')}, {_sessions(frame)}",
        ", ".join(f"{count:,} {status}" for status, count in states.most_common()),
        f"{counted(sounds, 'recording')} here" if sounds else "",
        "measured" if prefix + _MEASURED in frame.columns else "",
    ]
    return "; ".join(each for each in parts if each)


def _sessions(frame: pd.DataFrame) -> str:
    name = configured_name("session") or "session_id"
    if name in frame.columns or name in frame.index.names:
        ids = {each for each in _cells(frame, name) if isinstance(each, str)}
        return counted(len(ids), "session")
    near = did_you_mean(name, [*frame.columns, *frame.index.names], known_as=SESSION_NAMES)
    return one_line(f"no column {name!r}{near}: pass session=")


def _cells(frame: pd.DataFrame, name: str) -> Sequence[Any]:
    """Return the values of a column or an index level, none where it is not there or there twice."""
    if name in frame.columns:
        column = frame[name]
        return list(column) if isinstance(column, pd.Series) else []
    return list(frame.index.get_level_values(name)) if name in frame.index.names else []


def _purpose(method: Callable[..., Any]) -> str:
    """Return what a method is for: the first line of its docstring."""
    first = (inspect.getdoc(method) or "").partition("\n")[0].rstrip(".").replace("`", "")
    first = first.removeprefix("Return ").removeprefix("Yield ")
    return first[:1].lower() + first[1:]
