"""The clips of a report: each with where it comes from, its waveform, and sound that plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.errors import KatavenError
from kataven_notebook.frame.columns import ERROR
from kataven_notebook.notices import counted
from kataven_notebook.publish import sounds
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kataven_notebook.publish.shown import Texts

PRIVATE = (
    "This file holds recordings of private calls. They belong to the people who speak in them and to the account "
    "they were made for: share it only with those who may hear them, and delete it when it has been read."
)
_KEY = (
    '<p class="key faint" aria-hidden="true"><span><i class="agent"></i>agent</span>'
    '<span><i class="caller"></i>caller</span><span><i class="channel0"></i><i class="channel1"></i>'
    'not known which</span><span><i class="moment"></i>the moment</span></p>'
)


@dataclass(frozen=True, slots=True)
class ClipList:
    """The clips of a page.

    Parameters
    ----------
    html
        The list; empty where there are none.
    playing
        How many have sound.
    said
        What the page says of them, in a sentence.
    is_silenced
        Whether something was taken out of the sound.
    """

    html: str
    playing: int
    said: str
    is_silenced: bool = False


def clip_list(
    clips: pd.DataFrame,
    texts: Texts,
    *,
    session: Any,
    agents: Mapping[Any, int],
    groups: Mapping[Any, str],
    is_chosen: bool = False,
) -> ClipList:
    """Return the clips as a list.

    Parameters
    ----------
    clips
        As `clips` returns them: a row a moment, with `audio`, `clip_start_s` and `clip_end_s`.
    texts
        Makes texts fit to be shown.
    session
        The column of the session ids.
    agents
        Which channel is the agent's, by session.
    groups
        The name of each session's group, as it is shown.
    is_chosen
        Whether somebody chose them, and not their severity.
    """
    items, playing = [], 0
    for position, row in enumerate(clips.to_dict("records"), 1):
        agent = _agent(row, agents.get(row[session]))
        body, plays = _sound(row, agent, position, texts)
        playing += plays
        items.append(f"<li>{_heading(row, texts, position, session, groups)}{body}</li>")
    html = f'{_KEY}<ol class="clips">{"".join(items)}</ol>' if items else ""
    return ClipList(html, playing, _said(len(items), playing, is_chosen=is_chosen))


def _heading(row: Mapping[Any, Any], texts: Texts, position: int, session: Any, groups: Mapping[Any, str]) -> str:
    kind, said = _text(row.get("kind")) or "moment", _text(row.get("text"))
    title = f"{position}. {texts.html(kind[:1].upper() + kind[1:])}"
    if said:
        title += f": {texts.html(said, most_chars=300)}"
    name = texts.session(row[session])
    group = groups.get(row[session])
    where = [
        name if texts.is_masked else f"call {name}",
        *([texts.shown(group)] if group else []),
        f"at {sounds.clock(_seconds(row, 'start_s'))}",
    ]
    moment_id = _text(row.get("moment_id"))
    cited = f" · moment <code>{texts.html(moment_id)}</code>" if moment_id else ""
    return f'<h3>{title}</h3><p class="meta">{" · ".join(where)}{cited}</p>'


def _sound(row: Mapping[Any, Any], agent: int | None, position: int, texts: Texts) -> tuple[str, bool]:
    recording = row.get("audio")
    if not isinstance(recording, Recording):
        why = _text(row.get(ERROR))
        reason = f": {texts.html(why, most_chars=300)}" if why else "."
        return f'<p class="note">The sound of this moment is not here{reason}</p>', False
    start_s = _seconds(row, "clip_start_s")
    try:
        is_cut = recording.duration_s > sounds.MOST_S
        clip = recording.slice(0.0, sounds.MOST_S) if is_cut else recording
        moment = (_seconds(row, "start_s") - start_s, _seconds(row, "end_s") - start_s)
        drawn = sounds.drawing(clip, moment, roles=_roles(clip, agent), start_s=start_s)
        address = sounds.data_url(clip)
    except (KatavenError, OSError, ValueError):
        return '<p class="note">The sound of this moment can\'t be read.</p>', False
    long = f" The first {sounds.MOST_S:.0f} s of {recording.duration_s:.0f} s." if is_cut else ""
    span = f"{sounds.clock(start_s)} to {sounds.clock(start_s + clip.duration_s)}"
    return (
        f'{drawn}<audio controls preload="metadata" aria-label="Clip {position}, {span}" src="{address}"></audio>'
        f'<p class="note on-paper">Sound from {span} of the call plays in the file that this was printed from.</p>'
        + (f'<p class="note">{long.strip()}</p>' if long else "")
    ), True


def _roles(recording: Recording, agent: int | None) -> list[str]:
    if agent is None or recording.channels != 2:
        return []
    return ["agent" if channel == agent else "caller" for channel in range(2)]


def _agent(row: Mapping[Any, Any], known: int | None) -> int | None:
    """Return the agent's channel, as the moment says it, else as the call does."""
    role, channel = _text(row.get("role")), row.get("channel")
    if role in ("agent", "caller") and pd.notna(channel) and int(channel) in (0, 1):
        return int(channel) if role == "agent" else 1 - int(channel)
    return known


def _seconds(row: Mapping[Any, Any], name: str) -> float:
    value = row.get(name)
    return 0.0 if value is None or pd.isna(value) else float(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _said(listed: int, playing: int, *, is_chosen: bool) -> str:
    if not listed:
        return "There is no sound in which a moment worth hearing was found."
    said = counted(listed, "moment") + ("" if is_chosen or listed == 1 else ", the worst first")
    return f"{said}." if playing == listed else f"{said}; the sound of {listed - playing} is not here."
