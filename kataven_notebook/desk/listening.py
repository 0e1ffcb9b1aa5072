"""What a player needs beyond the frame: sound from the store, fresh URLs, and what the metrics found."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.desk.sources import FrameSource
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame import columns as _columns
from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.numbers.measures import measured
from kataven_notebook.numbers.moments import moment_rows
from kataven_notebook.numbers.rows import turn_rows
from kataven_notebook.service.client import HubClient
from kataven_notebook.settings import current_settings
from kataven_notebook.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from kataven_notebook.settings import Settings
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.opening import StoreLike

# Finding the moments of more calls than this would hold up the first paint.
_MOST_CALLS = 300


def source_of(
    frame: pd.DataFrame, *, session: Hashable, prefix: str, store: StoreLike, settings: Settings | None
) -> FrameSource:
    """Return where a player's sound comes from: the frame, the store, then a URL signed on demand."""
    return FrameSource(
        frame, session=session, prefix=prefix, stored=_stored_sound(store, settings), sign=_signer(settings)
    )


def _stored_sound(store: StoreLike, settings: Settings | None) -> Callable[[str], Recording | None] | None:
    """Return what finds a session's sound in the store, or None where there is no store."""
    opened = open_store(store if store is not None else current_settings(settings).store)
    if opened is None:
        return None

    def sound(session_id: str) -> Recording | None:
        entry = opened.load([session_id]).get(session_id)
        return None if entry is None or entry.file is None else opened.recording(entry)

    return sound


def _signer(settings: Settings | None) -> Callable[[str], tuple[str, float]] | None:
    """Return what signs a session's URL anew, or None where there are no credentials to sign with."""
    used = current_settings(settings)
    try:
        used.check_credentials()
    except ConfigurationError:
        return None

    def sign(session_id: str) -> tuple[str, float]:
        with HubClient(used) as client:
            signed = client.sign(session_id)
        return signed.url, signed.expires_at - time.time()

    return sign


def told_by_metrics(
    frame: pd.DataFrame, *, session: Any, prefix: str
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return moments and turns of a frame that `metrics` has measured in this process, or None for each.

    Nothing is measured here. Of a frame with more than 300 calls the caller passes `moments()`.
    """
    sounds = _columns.recordings_of(frame, prefix)
    if prefix + "speech_method" not in frame.columns or sum(each is not None for each in sounds) > _MOST_CALLS:
        return None, None
    channels = frame.get(prefix + "agent_channel")
    sessions = find_sessions(frame, session)
    moments: list[dict[Any, Any]] = []
    turns: list[dict[Any, Any]] = []
    for position, row in enumerate(sessions.first_rows()):
        sound = sounds[row]
        found = measured(sound) if sound is not None else None
        if found is None:
            continue
        channel = None if channels is None or pd.isna(channels.iloc[row]) else int(channels.iloc[row])
        key: dict[Any, Any] = {session: sessions.ids[position]}
        moments += [{**key, **each} for each in moment_rows(found, channel)]
        turns += [{**key, **each} for each in turn_rows(found, channel)]
    worst = sorted(moments, key=lambda each: each["severity"], reverse=True)
    return (pd.DataFrame(worst) if worst else None), (pd.DataFrame(turns) if turns else None)
