"""What two parties did with the floor: turns, interruptions, transfers, from speech intervals.

Pure functions. Speech of one party is an `(n, 2)` array of start and end in seconds, in any order;
overlapping rows are joined. Thresholds are keyword parameters in seconds; their defaults are the
constants of this module.

The terms are those of conversation analysis. A *turn* is what one party says until the floor changes
hands (Sacks, Schegloff & Jefferson 1974, "A simplest systematics for the organization of turn-taking
for conversation", Language 50). *Gap*, *overlap* and *floor-transfer offset* are those of Heldner &
Edlund (2010, "Pauses, gaps and overlaps in conversations", Journal of Phonetics 38): silence between
two parties, speech of both, and the time from the end of one turn to the start of the other's, which is
negative where they overlap.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from kataven_notebook.numbers.talk import DEAD_AIR_S
from kataven_notebook.numbers.turn_taking import (
    Thresholds,
    check_seconds,
    cut,
    group,
    interrupts,
    without_backchannels,
)
from kataven_notebook.speech.intervals import Intervals, between, intersection, tidy, total_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

MAX_PAUSE_S = 1.0
"""A silence of one party shorter than this doesn't end its turn."""
MAX_BACKCHANNEL_S = 0.8
"""A backchannel is shorter. Very short utterances of under 1 s are mostly feedback (Edlund, Heldner &
Pelcé 2009); 0.8 s keeps short answers that cut in, such as "no, the other one", apart from "mm-hm"."""
MIN_OVERLAP_S = 0.2
"""Overlap of less is a smooth change of speakers: turn ends are foreseen, and listeners notice neither
gaps nor overlaps of 0.12 s (Heldner 2011). It is also what detectors of speech get wrong."""
MIN_BARGE_IN_S = 0.45
"""A barge-in is at least as long. Voice agents take 0.5 s of speech for one (a common default); edges of detected
speech may be 50 ms off. A quick "mm-hm" is shorter."""
MAX_YIELD_S = 3.0
"""Who stops within this time of a barge-in stops for it; who goes on for longer comes to an end of its own."""

TurnKind = Literal["turn", "interruption", "backchannel"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one party says in one go.

    Attributes
    ----------
    channel : int
        Who: 0 for the first party given, 1 for the second.
    start_s, end_s : float
        Seconds from the beginning; pauses inside included.
    kind : {"turn", "interruption", "backchannel"}
        An interruption is a turn, too; a backchannel is not.
    gap_before_s : float
        Silence of both parties before it; NaN for the first one and where somebody is speaking.
    overlap_s : float
        How long the other party speaks during it.
    interrupts : bool
        It starts while the other party holds the floor.
    """

    channel: int
    start_s: float
    end_s: float
    kind: TurnKind
    gap_before_s: float
    overlap_s: float
    interrupts: bool


@dataclass(frozen=True, slots=True)
class Interruption:
    """One party starting while the other holds the floor, and how it ended.

    Attributes
    ----------
    channel : int
        Who interrupts.
    start_s, end_s : float
        From the start of the interrupting turn until the one who yields stops.
    yielded_by : int
        Who yields: the interrupted party, or the interrupter, who gives up.
    time_to_yield_s : float
        How long that took: `end_s - start_s`.
    """

    channel: int
    start_s: float
    end_s: float
    yielded_by: int
    time_to_yield_s: float


def find_turns(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    max_pause_s: float = MAX_PAUSE_S,
    max_backchannel_s: float = MAX_BACKCHANNEL_S,
    min_overlap_s: float = MIN_OVERLAP_S,
    min_barge_in_s: float = MIN_BARGE_IN_S,
    max_yield_s: float = MAX_YIELD_S,
) -> tuple[Turn, ...]:
    """Return the turns of both parties in order of their start.

    - A *turn* is speech of one party with pauses under `max_pause_s`, unless the other party takes the
      floor in such a pause: answers in it, has its own turn there and ends it, or holds the floor alone for
      half of `max_pause_s` after it cut in.
    - An *answer* is a turn however short it is. It begins in silence of the other party, or with its last
      syllable (`min_overlap_s`), and is over before the other goes on.
    - A *backchannel* ("mm-hm") is an utterance shorter than `max_backchannel_s` that begins during the
      other's turn, which goes on for at least `min_overlap_s` after it (Yngve 1970). It takes no floor,
      ends nobody's turn and is no interruption. Words less than half of `max_pause_s` apart are one utterance.
    - An *interruption* (barge-in) is a turn of at least `min_barge_in_s` that begins while the other holds
      the floor: at least `min_overlap_s` after the other's turn began and as long before it ends. The
      other's short pauses count as holding the floor.

    An utterance from `max_backchannel_s` on interrupts, whatever the other does, and one under
    `min_barge_in_s` doesn't. Between the two lies "stop", and lies a long "mm-hm". It interrupts where the
    other falls silent for half of `max_pause_s` within `max_yield_s` of its start, however late in that time,
    and its party goes on within half of `max_pause_s`, or the other is the next to speak. `docs/conversation.md`
    says how often this is wrong.

    Parameters
    ----------
    first, second
        Speech of the two parties, `(n, 2)`, seconds.
    max_pause_s, max_backchannel_s, min_overlap_s, min_barge_in_s, max_yield_s
        Thresholds in seconds, at least 0; see the module's constants for why.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    The caller says "mm-hm" at 1 s, and cuts in at 3.5 s:

    >>> def kinds(agent, caller):
    ...     return [(turn.kind, turn.start_s) for turn in find_turns(agent, caller) if turn.channel == 1]
    >>> kinds([(0, 4), (5.5, 7)], [(1, 1.4), (3.5, 5)])
    [('backchannel', 1.0), ('interruption', 3.5)]

    "Stop" at 2 s takes 0.5 s. The agent stops 1.5 s after its start and then answers; or speaks on for 6 s:

    >>> kinds([(0, 3.5), (5, 7)], [(2, 2.5)]), kinds([(0, 8)], [(2, 2.5)])
    ([('interruption', 2.0)], [('backchannel', 2.0)])

    "Yes" in a pause of 0.8 s is an answer; where the agent goes on before it is over, a backchannel:

    >>> kinds([(0, 3), (3.8, 6)], [(3.2, 3.6)]), kinds([(0, 3), (3.3, 6)], [(3.1, 3.5)])
    ([('turn', 3.2)], [('backchannel', 3.1)])
    """
    speech = (tidy(first), tidy(second))
    thresholds = Thresholds(max_pause_s, max_backchannel_s, min_overlap_s, min_barge_in_s, max_yield_s)
    # Backchannels first: they don't take the floor, so they must not cut the other's turn.
    whole = [group(speech[c], speech[1 - c], thresholds) for c in (0, 1)]
    sides = [without_backchannels(whole[c], whole[1 - c], thresholds) for c in (0, 1)]
    parts = tuple(cut(sides[c].turns, sides[1 - c].turns, thresholds) for c in (0, 1))
    # Cutting shows backchannels that looked like the start of a longer turn before.
    final = [without_backchannels(parts[c], parts[1 - c], thresholds) for c in (0, 1)]
    everyone = np.concatenate(speech)
    ends = np.sort(everyone[:, 1])
    found = []
    for channel in (0, 1):
        other = final[1 - channel].turns
        feedback = [*sides[channel].backchannels, *final[channel].backchannels]
        for part in [*final[channel].turns, *feedback]:
            is_turn = not any(part is one for one in feedback)
            barges_in = is_turn and interrupts(part, other, thresholds)
            kind: TurnKind = "interruption" if barges_in else "turn" if is_turn else "backchannel"
            near = between(speech[1 - channel], part[0, 0], part[-1, 1])
            overlap_s = total_s(intersection(part, near))
            gap_s = _gap_before(part[0, 0], ends, near)
            start_s, end_s = float(part[0, 0]), float(part[-1, 1])
            found.append(
                Turn(channel, start_s, end_s, kind, gap_before_s=gap_s, overlap_s=overlap_s, interrupts=barges_in)
            )
    return tuple(sorted(found, key=lambda turn: (turn.start_s, turn.end_s, turn.channel)))


def interruptions(turns: Sequence[Turn], *, max_yield_s: float = MAX_YIELD_S) -> tuple[Interruption, ...]:
    """Return the interruptions among `turns`, who yielded each, and after how long.

    The interrupted party yields where its turn ends first, or within `max_yield_s` of the start of the
    interruption: a caller may have said "stop" long before a slow agent stops. Else the interrupter gives up. The
    time to yield runs from the start of the interruption to the end of the turn of who yields.

    Parameters
    ----------
    turns
        As `find_turns` returns them.
    max_yield_s
        From which time on the interrupted party's turn ends by itself, seconds.

    Raises
    ------
    ValueError
        `max_yield_s` is negative or no number.

    Examples
    --------
    The agent stops 0.5 s after the caller has begun; 1.5 s after, when the caller is silent already; or 5 s after:

    >>> interruptions(find_turns([(0, 4)], [(3.5, 6)]))
    (Interruption(channel=1, start_s=3.5, end_s=4.0, yielded_by=0, time_to_yield_s=0.5),)
    >>> interruptions(find_turns([(0, 5)], [(3.5, 4.5)]))
    (Interruption(channel=1, start_s=3.5, end_s=5.0, yielded_by=0, time_to_yield_s=1.5),)
    >>> interruptions(find_turns([(0, 8.5)], [(3.5, 4.5)]))
    (Interruption(channel=1, start_s=3.5, end_s=4.5, yielded_by=1, time_to_yield_s=1.0),)
    """
    check_seconds("max_yield_s", max_yield_s)
    found = []
    holding: dict[int, Turn] = {}
    for turn in turns:
        if turn.kind == "backchannel":
            continue
        held = holding.get(1 - turn.channel)
        if turn.interrupts and held is not None:
            gives_way = held.end_s <= turn.end_s or held.end_s - turn.start_s < max_yield_s
            end = held.end_s if gives_way else turn.end_s
            yielded_by = held.channel if gives_way else turn.channel
            found.append(Interruption(turn.channel, turn.start_s, end, yielded_by, end - turn.start_s))
        holding[turn.channel] = turn
    return tuple(found)


def floor_transfer_offsets(turns: Sequence[Turn], *, to: int) -> npt.NDArray[np.float64]:
    """Return, for each time the floor goes over to channel `to`, start minus the end of the other's turn.

    Seconds; negative where they overlap (Heldner & Edlund 2010). Backchannels don't count, nor turns
    that end before the other's does: the floor stays where it was.

    Examples
    --------
    The caller begins 0.5 s before the agent has finished. "Stop" at 1 s, while the agent goes on until 4 s, takes no
    floor, and so the agent's next words don't take it back:

    >>> floor_transfer_offsets(find_turns([(0, 4)], [(3.5, 6)]), to=1).tolist()
    [-0.5]
    >>> floor_transfer_offsets(find_turns([(0, 4), (5.5, 7)], [(1, 2)]), to=0).tolist()
    []
    """
    spoken = [turn for turn in turns if turn.kind != "backchannel"]
    ends = itertools.accumulate((turn.end_s if turn.channel == to else 0.0 for turn in spoken), max)
    return np.array(
        [
            turn.start_s - previous.end_s
            for (previous, turn), own_end_s in zip(itertools.pairwise(spoken), ends, strict=False)
            if turn.channel == to != previous.channel and own_end_s < previous.end_s < turn.end_s
        ],
        dtype=np.float64,
    )


def longest_monologue(turns: Sequence[Turn], *, max_pause_s: float = DEAD_AIR_S) -> Turn | None:
    """Return the longest stretch of one party without a turn of the other, or None if nobody speaks.

    Backchannels of the other don't end it; silence of `max_pause_s` or more does. The `Turn` returned
    spans from the first to the last word.

    Raises
    ------
    ValueError
        `max_pause_s` is negative or no number.

    Examples
    --------
    >>> stretch = longest_monologue(find_turns([(0, 4), (5.5, 9)], [(10, 12)]))
    >>> stretch.start_s, stretch.end_s
    (0.0, 9.0)
    """
    check_seconds("max_pause_s", max_pause_s)
    best: Turn | None = None
    current: Turn | None = None
    for turn in turns:
        if turn.kind == "backchannel":
            continue
        same = current is not None and turn.channel == current.channel
        # What is joined here spans turns, so it has no gap or overlap of its own.
        if current is None or not same or turn.start_s - current.end_s >= max_pause_s:
            current = turn
        else:
            nan = float("nan")
            current = replace(current, end_s=turn.end_s, kind="turn", gap_before_s=nan, overlap_s=nan, interrupts=False)
        if best is None or current.end_s - current.start_s > best.end_s - best.start_s:
            best = current
    return best


def _gap_before(start_s: float, ends: npt.NDArray[np.float64], other: Intervals) -> float:
    if ((other[:, 0] < start_s) & (other[:, 1] > start_s)).any():
        return float("nan")
    index = bisect_right(ends, start_s)
    return float(start_s - ends[index - 1]) if index else float("nan")
