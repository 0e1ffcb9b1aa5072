"""What two parties did with the floor: turns, latencies, interruptions, silence, from speech intervals.

Pure functions. Speech of one party is an `(n, 2)` array of start and end in seconds, in any order;
overlapping rows are joined. Thresholds are keyword parameters in seconds; their defaults are the
constants of this module.

The terms are those of conversation analysis. A *turn* is what one party says until the floor changes
hands (Sacks, Schegloff & Jefferson 1974, "A simplest systematics for the organization of turn-taking
for conversation", Language 50). *Gap*, *overlap* and *floor-transfer offset* are those of Heldner &
Edlund (2010, "Pauses, gaps and overlaps in conversations", Journal of Phonetics 38): silence between
two parties, speech of both, and the time from the end of one turn to the start of the other's, which is
negative where they overlap. Talk, pause, double talk and mutual silence are the states of the
conversation model of ITU-T P.59 (1993).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from kataven_notebook.numbers.turn_taking import (
    Thresholds,
    check_seconds,
    cut,
    group,
    holds_floor,
    without_backchannels,
)
from kataven_notebook.speech.intervals import Intervals, between, complement, intersection, join, tidy, total_s, union

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
DEAD_AIR_S = 3.0
"""Silence of both parties that a caller takes for a dropped line."""

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
        From the start of the interrupting turn until one of the two stops.
    yielded_by : int
        Whose turn ends first.
    time_to_yield_s : float
        How long that took: `end_s - start_s`.
    """

    channel: int
    start_s: float
    end_s: float
    yielded_by: int
    time_to_yield_s: float


@dataclass(frozen=True, slots=True)
class TalkTime:
    """How the time divides: `talk_s[0] + talk_s[1] - overlap_s + silence_s` is the duration."""

    talk_s: tuple[float, float]
    overlap_s: float
    speech_s: float
    silence_s: float


def talk_time(first: npt.ArrayLike, second: npt.ArrayLike, duration_s: float) -> TalkTime:
    """Return seconds of talk of each party, of both at once, of any, and of none (ITU-T P.59).

    Parameters
    ----------
    first, second
        Speech of the two parties, `(n, 2)`, seconds; cut at 0 and `duration_s`.
    duration_s
        Length of the call.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    >>> talk_time([(0, 2)], [(1.5, 4)], 5.0)
    TalkTime(talk_s=(2.0, 2.5), overlap_s=0.5, speech_s=4.0, silence_s=1.0)
    """
    check_seconds("duration_s", duration_s)
    a, b = tidy(first, duration_s=duration_s), tidy(second, duration_s=duration_s)
    talk = (total_s(a), total_s(b))
    overlap = total_s(intersection(a, b))
    speech = talk[0] + talk[1] - overlap
    return TalkTime(talk, overlap, speech, max(duration_s - speech, 0.0))


def silences(first: npt.ArrayLike, second: npt.ArrayLike, duration_s: float, *, min_s: float = 0.0) -> Intervals:
    """Return when nobody speaks for at least `min_s`, `(n, 2)`, before the first and after the last word too.

    With `min_s=DEAD_AIR_S` this is dead air: mutual silence long enough to be taken for a dropped line.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    >>> silences([(1, 2)], [(6, 8)], 8.5, min_s=DEAD_AIR_S).tolist()
    [[2.0, 6.0]]
    """
    check_seconds("duration_s", duration_s)
    check_seconds("min_s", min_s)
    spoken = union(tidy(first, duration_s=duration_s), tidy(second, duration_s=duration_s))
    quiet = complement(spoken, duration_s)
    return quiet[quiet[:, 1] - quiet[:, 0] >= min_s]


def response_latencies(before: npt.ArrayLike, after: npt.ArrayLike, *, max_pause_s: float = MAX_PAUSE_S) -> Intervals:
    """Return the responses of one party to the other: `(n, 2)`, when each starts and its latency, seconds.

    A response is a turn of `after` (pauses under `max_pause_s` don't end it) that begins once the last
    speech of `before` since the previous turn of `after` has ended. Its latency is the time between the
    two and never negative: turns that begin in overlap are no responses (`floor_transfer_offsets` has
    them). A turn that nobody spoke before, or that continues one's own after silence, is none either.

    Parameters
    ----------
    before, after
        Speech of the party that is answered and of the one that answers, `(n, 2)`, seconds.
    max_pause_s
        Pauses of less are inside a turn; 1.0 by default, as hesitations rarely last longer.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    >>> response_latencies([(0, 2), (2.25, 3)], [(3.5, 5)]).tolist()
    [[3.5, 0.5]]
    """
    check_seconds("max_pause_s", max_pause_s)
    asked, turns = tidy(before), join(tidy(after), max_pause_s)
    # The other's turns play no part: who answered must not depend on who was thought to interrupt.
    found = []
    previous_end = 0.0
    for start, end in turns:
        # 50 ms and 200 ms: what a detector may be wrong about who started or stopped first.
        spoken = asked[(asked[:, 0] < start - 0.05) & (asked[:, 1] > previous_end - 0.2)]
        if len(spoken) and spoken[-1, 1] <= start:
            found.append((start, start - spoken[-1, 1]))
        previous_end = end
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def find_turns(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    max_pause_s: float = MAX_PAUSE_S,
    max_backchannel_s: float = MAX_BACKCHANNEL_S,
    min_overlap_s: float = MIN_OVERLAP_S,
) -> tuple[Turn, ...]:
    """Return the turns of both parties in order of their start.

    - Speech of one party with pauses under `max_pause_s` is one turn, unless the other party takes the
      floor in such a pause: has its own turn there and ends it, or holds the floor alone for half of
      `max_pause_s` after it cut in.
    - A *backchannel* ("mm-hm") is an utterance shorter than `max_backchannel_s` that begins during the
      other's turn, which goes on for at least `min_overlap_s` after it (Yngve 1970). It takes no floor,
      ends nobody's turn and is no interruption.
    - An *interruption* (barge-in) is a turn that begins while the other holds the floor: at least
      `min_overlap_s` after the other's turn began and as long before it ends. The other's short
      pauses count as holding the floor.

    Parameters
    ----------
    first, second
        Speech of the two parties, `(n, 2)`, seconds.
    max_pause_s, max_backchannel_s, min_overlap_s
        Thresholds in seconds, at least 0; see the module's constants for why.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    >>> agent, caller = [(0, 4), (5.5, 7)], [(1, 1.4), (3.5, 5)]
    >>> [(turn.channel, turn.kind, turn.start_s) for turn in find_turns(agent, caller)]
    [(0, 'turn', 0.0), (1, 'backchannel', 1.0), (1, 'interruption', 3.5), (0, 'turn', 5.5)]
    """
    speech = (tidy(first), tidy(second))
    thresholds = Thresholds(max_pause_s, max_backchannel_s, min_overlap_s)
    # Backchannels first: they don't take the floor, so they must not cut the other's turn.
    whole = (group(speech[0], max_pause_s), group(speech[1], max_pause_s))
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
            interrupts = is_turn and holds_floor(other, part[0, 0], thresholds)
            kind: TurnKind = "interruption" if interrupts else "turn" if is_turn else "backchannel"
            near = between(speech[1 - channel], part[0, 0], part[-1, 1])
            overlap_s = total_s(intersection(part, near))
            gap_s = _gap_before(part[0, 0], ends, near)
            start_s, end_s = float(part[0, 0]), float(part[-1, 1])
            found.append(
                Turn(channel, start_s, end_s, kind, gap_before_s=gap_s, overlap_s=overlap_s, interrupts=interrupts)
            )
    return tuple(sorted(found, key=lambda turn: (turn.start_s, turn.end_s, turn.channel)))


def interruptions(turns: Sequence[Turn]) -> tuple[Interruption, ...]:
    """Return the interruptions among `turns`, who yielded each, and after how long.

    Whoever's turn ends first yields: the interrupted party gives way, or the interrupter gives up.

    Examples
    --------
    >>> interruptions(find_turns([(0, 4)], [(3.5, 6)]))
    (Interruption(channel=1, start_s=3.5, end_s=4.0, yielded_by=0, time_to_yield_s=0.5),)
    """
    found = []
    holding: dict[int, Turn] = {}
    for turn in turns:
        if turn.kind == "backchannel":
            continue
        held = holding.get(1 - turn.channel)
        if turn.interrupts and held is not None:
            gives_way = held.end_s <= turn.end_s
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
    >>> floor_transfer_offsets(find_turns([(0, 4)], [(3.5, 6)]), to=1).tolist()
    [-0.5]
    """
    spoken = [turn for turn in turns if turn.kind != "backchannel"]
    return np.array(
        [
            turn.start_s - previous.end_s
            for previous, turn in itertools.pairwise(spoken)
            if turn.channel == to != previous.channel and turn.end_s > previous.end_s
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
