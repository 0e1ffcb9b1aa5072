"""Who holds the floor: one party's speech cut into turns and backchannels by what the other party does.

A turn is here its speech segments, a tidy `(n, 2)` array. `conversation.find_turns` says what the rules mean.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.arguments import is_number
from kataven_notebook.speech.intervals import join

if TYPE_CHECKING:
    import numpy.typing as npt

    from kataven_notebook.speech.intervals import Intervals


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
    """From which durations on a pause, a backchannel, an overlap and a barge-in count, in seconds.

    Raises
    ------
    ValueError
        One of them is no number of seconds, below 0, or NaN.
    """

    max_pause_s: float
    max_backchannel_s: float
    min_overlap_s: float
    min_barge_in_s: float
    max_yield_s: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_seconds(name, getattr(self, name))

    @property
    def at_once_s(self) -> float:
        """A silence shorter than this is inside an utterance; who is quiet for as long has stopped."""
        return self.max_pause_s / 2


@dataclass(frozen=True, slots=True)
class Side:
    """One party's turns, and the backchannels that were taken out of them."""

    turns: list[Intervals]
    backchannels: list[Intervals]


def group(speech: Intervals, others: Intervals, thresholds: Thresholds) -> list[Intervals]:
    """Cut one party's speech where it pauses for `max_pause_s`, and at shorter pauses that the other ended it for.

    These are pauses in which the other party answers: an utterance of its own that begins there, or with
    the last syllable before it, and is over before the party goes on. And pauses of half of `max_pause_s` to
    which a barge-in has led: the party fell silent within `max_yield_s` of it.
    """
    if not len(speech):
        return []
    said, stops = join(others, thresholds.at_once_s), join(speech, thresholds.at_once_s)[:, 1]
    pauses = zip(speech[:-1, 1].tolist(), speech[1:, 0].tolist(), strict=True)
    breaks = [i for i, (start, end) in enumerate(pauses, 1) if _ends_turn(start, end, stops, said, thresholds)]
    return np.split(speech, breaks)


def _ends_turn(
    start_s: float, end_s: float, stops: npt.NDArray[np.float64], said: Intervals, thresholds: Thresholds
) -> bool:
    """Whether a pause of one party, who has fallen silent at `stops`, ends its turn; `said` is what the other says."""
    if end_s - start_s >= thresholds.max_pause_s:
        return True
    index = int(np.searchsorted(said[:, 0], end_s)) - 1
    if index < 0:
        return False
    began_s, over_s = said[index]
    if began_s >= start_s - thresholds.min_overlap_s:
        return bool(over_s <= end_s)
    if end_s - start_s < thresholds.at_once_s or over_s > end_s or over_s - began_s < thresholds.min_barge_in_s:
        return False
    # Of its stops the first one answers the barge-in: what comes after it is said in spite of it.
    first_s = stops[np.searchsorted(stops, began_s, side="right")]
    return bool(first_s == start_s and start_s - began_s < thresholds.max_yield_s)


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


def interrupts(turn: Intervals, others: list[Intervals], thresholds: Thresholds) -> bool:
    """Whether a turn begins while the other party holds the floor, and is long enough for a barge-in."""
    length_s = turn[-1, 1] - turn[0, 0]
    return bool(length_s >= thresholds.min_barge_in_s) and holds_floor(others, turn[0, 0], thresholds)


def without_backchannels(own: list[Intervals], others: list[Intervals], thresholds: Thresholds) -> Side:
    """Take the backchannels with which turns begin, or of which they consist, out of one party's turns."""
    side = Side([], [])
    for index, turn in enumerate(own):
        next_s = float(own[index + 1][0, 0]) if index + 1 < len(own) else np.inf
        rest = turn
        while len(rest) and (length := _backchannel_length(rest, others, thresholds, next_s=next_s)):
            side.backchannels.append(rest[:length])
            rest = rest[length:]
        if len(rest):
            side.turns.append(rest)
    return side


def _backchannel_length(turn: Intervals, others: list[Intervals], thresholds: Thresholds, *, next_s: float) -> int:
    """Return how many segments at the beginning of `turn` are a backchannel, or 0; its party goes on at `next_s`."""
    pauses = turn[1:, 0] - turn[:-1, 1]
    # What goes on at once is one utterance: "no - stop - wait" is longer than each of its words.
    ends = np.flatnonzero(pauses >= thresholds.at_once_s)
    length = int(ends[0]) + 1 if len(ends) else len(turn)
    start, end = turn[0, 0], turn[length - 1, 1]
    index = bisect_left(others, start, key=lambda other: float(other[0, 0]))
    if not index or end - start >= thresholds.max_backchannel_s:
        return 0
    stops = others[index - 1][-1, 1]
    if stops < end + thresholds.min_overlap_s:
        return 0
    if end - start < thresholds.min_barge_in_s or stops - start >= thresholds.max_yield_s:
        return length
    again = turn[length, 0] if length < len(turn) else next_s
    replies = others[index][0, 0] if index < len(others) else np.inf
    # A word that made the other stop: its party goes on at once, or the other speaks next, or for long nobody.
    goes_on = stops <= again < stops + thresholds.at_once_s
    taken_up = goes_on or again > replies or again >= stops + thresholds.max_yield_s
    return 0 if taken_up else length


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
