"""What is to be taken out of the sound of which session: a table of the caller's, checked before anything goes out."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import as_text
from kataven_notebook.frame.side_tables import checked_table
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import one_line
from kataven_notebook.sound.silencing import intervals_per_channel

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    import pandas as pd

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.sound.silencing import Intervals

    # Start and end in seconds, and the channel; None for all.
    Span = tuple[float, float, int | None]

_DIGEST_CHARS = 16


class Silences:
    """What is to be taken out, by session.

    Parameters
    ----------
    table
        The session column, `start_s`, `end_s`, and perhaps `channel`, which is missing for all channels; None for
        nothing.
    session
        The session column, or the index level of this name.

    Raises
    ------
    FrameError
        No such table, or a row that would take nothing out: without a session, a start or an end, or whose end is
        not after its start.
    """

    def __init__(self, table: pd.DataFrame | None, session: Hashable) -> None:
        self._spans: dict[str, list[Span]] = {}
        if table is None:
            return
        flat = checked_table(table, session, "silence", ("start_s", "end_s"), quiet=True)
        ids, starts, ends = as_text(flat[session]), flat["start_s"].to_numpy(), flat["end_s"].to_numpy()
        channels = flat["channel"].to_numpy() if "channel" in flat.columns else np.full(len(flat), np.nan)
        _refuse_rows_without_effect(flat, ids, starts, ends)
        for session_id, start, end, channel in zip(ids, starts, ends, channels, strict=True):
            span = (float(start), float(end), None if np.isnan(channel) else int(channel))
            self._spans.setdefault(session_id, []).append(span)

    @property
    def session_ids(self) -> Collection[str]:
        """The sessions of whose sound something is taken out."""
        return self._spans.keys()

    def check(self, session_ids: Iterable[object]) -> None:
        """Warn of sessions that are not among these; where none is, its ids are of another form.

        Raises
        ------
        FrameError
            None is: everything would go out as it is.
        """
        known = set(session_ids)
        strangers = [each for each in self._spans if each not in known]
        if not strangers or not known:
            return
        first = one_line(repr(strangers[0]), most_chars=60)
        if len(strangers) == len(self._spans):
            raise FrameError(
                f"silence= names no session that the frame has ({first} is its first), and nothing would be taken "
                "out: compare how the ids are written in both"
            )
        count = "1 session" if len(strangers) == 1 else f"{len(strangers):,} sessions"
        warn_caller(
            f"silence= names {count} that the frame does not have, such as {first}: these rows take nothing out"
        )

    def digest(self, session_id: object) -> str:
        """Return what tells one set of intervals of a session from another; empty where there are none."""
        spans = self._spans.get(session_id) if isinstance(session_id, str) else None
        if spans is None:
            return ""
        text = json.dumps(sorted(spans, key=str))
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]

    def applied(self, recording: Recording, session_id: object) -> Recording:
        """Return a session's sound without what is to be taken out of it.

        Raises
        ------
        ValueError
            An interval lies outside of the sound, or it has no such channel.
        DecodeError, OSError
            It can't be decoded or read.
        """
        spans = self._spans.get(session_id, []) if isinstance(session_id, str) else []
        return recording.silenced(_per_channel(spans, recording)) if spans else recording

    def of_part(self, recording: Recording, session_id: object, start_s: float, end_s: float) -> list[Intervals] | None:
        """Return what is to be taken out of a part of a session's sound, per channel; None for nothing.

        Parameters
        ----------
        recording, session_id
            The whole, and whose it is.
        start_s, end_s
            The part, in seconds from the beginning of the whole; the intervals count from the beginning of the part.

        Raises
        ------
        ValueError
            As in `applied`, whatever the part has of it.
        """
        spans = self._spans.get(session_id, []) if isinstance(session_id, str) else []
        intervals_per_channel(_per_channel(spans, recording), recording.channels, recording.duration_s)
        moved = [
            (start - start_s, end - start_s, channel)
            for start, end, channel in spans
            if end > start_s and start < end_s
        ]
        if not moved:
            return None
        return intervals_per_channel(_per_channel(moved, recording), recording.channels, end_s - start_s)


def _refuse_rows_without_effect(flat: pd.DataFrame, ids: Any, starts: Any, ends: Any) -> None:
    nameless = ids.isna().to_numpy()
    wrong = np.flatnonzero(nameless | ~(starts < ends))
    if not len(wrong):
        return
    at = int(wrong[0])
    lacks = "no session id" if nameless[at] else "no start_s and end_s after it, both finite and in seconds"
    raise FrameError(
        f"silence= has {lacks} in row {flat.index[at]!r}, and nothing would be taken out for it: fill it in, or drop "
        "the row"
    )


def _per_channel(spans: list[Span], recording: Recording) -> list[list[tuple[float, float]]]:
    highest = max((channel for _, _, channel in spans if channel is not None), default=0)
    if highest >= recording.channels:
        raise ValueError(
            f"silence= names channel {highest}, and the sound has {recording.channels}: leave `channel` out to take "
            "it out of all"
        )
    return [
        [(start, end) for start, end, channel in spans if channel in (None, index)]
        for index in range(recording.channels)
    ]
