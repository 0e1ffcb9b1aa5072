"""Which turn each word belongs to: the one that it overlaps most, among those that it may be of."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import numpy.typing as npt

    Places = npt.NDArray[np.intp]

_NOWHERE = -1


class Span(NamedTuple):
    """A turn: its row, from when to when it lasts, and whose it is; NaN and an empty role where that isn't known."""

    row: int
    start_s: float
    end_s: float
    channel: float
    role: str


class Lane:
    """Turns by time, of one party or of a whole call.

    Parameters
    ----------
    spans
        The turns, in any order.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(spans, key=lambda span: (span.start_s, span.end_s))
        self._starts = [span.start_s for span in self._spans]
        # No turn before a place ends later than this.
        self._latest = list(itertools.accumulate((span.end_s for span in self._spans), max))

    def best(self, start_s: float, end_s: float, tolerance_s: float) -> int:
        """Return the row of the turn that overlaps most, or lies nearest within the tolerance; -1 where there is none.

        Of two that overlap as much the earlier one is returned.

        Examples
        --------
        >>> lane = Lane([Span(7, 0.0, 1.0, 0, ""), Span(8, 2.0, 3.0, 0, "")])
        >>> lane.best(0.9, 2.3, 0.25), lane.best(1.2, 1.3, 0.25), lane.best(1.4, 1.6, 0.25)
        (8, 7, -1)
        """
        first = bisect_left(self._latest, start_s - tolerance_s)
        last = bisect_right(self._starts, end_s + tolerance_s)
        best, most = _NOWHERE, -math.inf
        for span in self._spans[first:last]:
            # Below 0 it is how far apart they are. The first of them is near enough, or there is none.
            overlap = min(end_s, span.end_s) - max(start_s, span.start_s)
            if overlap > most:
                best, most = span.row, overlap
        return best


class Lanes:
    """The turns of one call, by channel, by role and all together.

    Parameters
    ----------
    spans
        The turns.
    """

    def __init__(self, spans: list[Span]) -> None:
        self._all = Lane(spans)
        self._by_channel = {
            channel: Lane(span for span in spans if span.channel == channel)
            for channel in {span.channel for span in spans if not math.isnan(span.channel)}
        }
        self._by_role = {
            role: Lane(span for span in spans if span.role == role)
            for role in {span.role for span in spans if span.role}
        }

    def of(self, channel: float, role: str) -> Lane:
        """Return the turns that a word may be of: those of its channel, else of its role, else all."""
        if not math.isnan(channel) and self._by_channel:
            return self._by_channel.get(channel, _EMPTY)
        if role and self._by_role:
            return self._by_role.get(role, _EMPTY)
        return self._all


_EMPTY = Lane(())


def placed(said: pd.DataFrame, spans: dict[Hashable, list[Span]], tolerance_s: float) -> Places:
    """Return the row of each word's turn, -1 for a word in none.

    Parameters
    ----------
    said
        What `said_in` returned.
    spans
        The turns of each session, those with a start.
    tolerance_s
        How far beside a turn a word may lie.
    """
    lanes = {session_id: Lanes(each) for session_id, each in spans.items()}
    found = np.full(len(said), np.nan)
    columns = (said[name].tolist() for name in ("session_id", "start_s", "end_s", "channel", "role"))
    for at, (session_id, start_s, end_s, channel, role) in enumerate(zip(*columns, strict=True)):
        call = lanes.get(session_id)
        if call is None:
            found[at] = _NOWHERE
        elif not math.isnan(start_s):
            end = start_s if math.isnan(end_s) else end_s
            found[at] = call.of(channel, role).best(start_s, end, tolerance_s)
    # What has no time is said with what stands before it, or with what comes next.
    voice = [
        said[name].fillna(_NOWHERE) if name == "channel" else said[name]
        for name in ("session_id", "channel", "speaker")
    ]
    known = pd.Series(found).groupby(voice, sort=False)
    return known.ffill().fillna(known.bfill()).fillna(_NOWHERE).to_numpy(dtype=np.intp)
