"""Who holds the floor: one party's speech cut into turns and backchannels by what the other party does.

A turn is here its speech segments, a tidy `(n, 2)` array. `conversation.find_turns` says what the rules mean.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.arguments import is_number

if TYPE_CHECKING:
    from kataven_notebook.speech.intervals import Intervals

UTTERANCE_PAUSE_S = 0.2
"""Speech with shorter pauses is one utterance (inter-pausal unit)."""


def check_seconds(name: str, value: object) -> None:
    """Refuse a threshold that is no number of seconds.

    Raises
    ------
    ValueError
        It is no number of seconds, below 0, or NaN.
    """
    # Every comparison with NaN is false.
    if not is_number(value) or not value >= 0:
        raise ValueError(f"{name}={value!r}: pass seconds, at least 0")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which durations on a pause, a backchannel and an overlap count, in seconds.

    Raises
    ------
    ValueError
        One of them is no number of seconds, below 0, or NaN.
    """

    max_pause_s: float
    max_backchannel_s: float
    min_overlap_s: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_seconds(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Side:
    """One party's turns, and the backchannels that were taken out of them."""

    turns: list[Intervals]
    backchannels: list[Intervals]


def group(speech: Intervals, max_pause_s: float) -> list[Intervals]:
    """Cut one party's speech where it pauses for `max_pause_s`."""
    if not len(speech):
        return []
    return np.split(speech, np.flatnonzero(speech[1:, 0] - speech[:-1, 1] >= max_pause_s) + 1)


def holder(turns: list[Intervals], time_s: float) -> Intervals | None:
    """Return the last turn that began before `time_s`."""
    index = bisect_left(turns, time_s, key=lambda turn: float(turn[0, 0]))
    return turns[index - 1] if index else None


def holds_floor(turns: list[Intervals], start_s: float, thresholds: Thresholds) -> bool:
    """Whether the party of `turns` has the floor when another one begins to speak at `start_s`."""
    held = holder(turns, start_s)
    # Starting together is no interruption, and neither is overlapping the last syllable.
    margin = thresholds.min_overlap_s
    return held is not None and bool(held[0, 0] + margin <= start_s <= held[-1, 1] - margin)


def without_backchannels(own: list[Intervals], others: list[Intervals], thresholds: Thresholds) -> Side:
    """Take the backchannels with which turns begin, or of which they consist, out of one party's turns."""
    side = Side([], [])
    for turn in own:
        rest = turn
        while len(rest) and (length := _backchannel_length(rest, others, thresholds)):
            side.backchannels.append(rest[:length])
            rest = rest[length:]
        if len(rest):
            side.turns.append(rest)
    return side


def _backchannel_length(turn: Intervals, others: list[Intervals], thresholds: Thresholds) -> int:
    """Return how many segments at the beginning of `turn` are a backchannel, or 0."""
    pauses = turn[1:, 0] - turn[:-1, 1]
    ends = np.flatnonzero(pauses >= UTTERANCE_PAUSE_S)
    length = int(ends[0]) + 1 if len(ends) else len(turn)
    held = holder(others, turn[0, 0])
    end = turn[length - 1, 1]
    if held is None or end - turn[0, 0] >= thresholds.max_backchannel_s or held[-1, 1] < end + thresholds.min_overlap_s:
        return 0
    if length == len(turn):
        return length
    # What goes on at once after the other has finished was no feedback but the start of a turn.
    again = turn[length, 0]
    apart = held[-1, 1] >= again + thresholds.min_overlap_s or again - end >= thresholds.max_pause_s / 2
    return length if apart else 0


def cut(own: list[Intervals], others: list[Intervals], thresholds: Thresholds) -> list[Intervals]:
    """Cut one party's turns at pauses in which the other party took the floor."""
    parts = []
    for turn in own:
        first = 0
        for index in range(1, len(turn)):
            pause = (turn[index - 1, 1], turn[index, 0])
            taker = holder(others, pause[1])
            if taker is None or taker[0, 0] <= turn[first, 0] or taker[-1, 1] <= pause[0]:
                continue
            alone_s = min(taker[-1, 1], pause[1]) - max(taker[0, 0], pause[0])
            # Who comes back while the other still speaks may only have taken breath.
            if taker[-1, 1] <= pause[1] or alone_s >= thresholds.max_pause_s / 2:
                parts.append(turn[first:index])
                first = index
        parts.append(turn[first:])
    return parts
