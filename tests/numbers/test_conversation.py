"""Turns and interruptions from intervals whose answers are known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_notebook.numbers.conversation import (
    MAX_YIELD_S,
    Turn,
    find_turns,
    floor_transfer_offsets,
    interruptions,
    longest_monologue,
)

pytestmark = pytest.mark.core

DURATION_S = 64.0
# 1/64 s is exact in binary, so that laws hold to the last bit; minutes of speech in a few intervals.
TICKS = st.integers(0, int(DURATION_S) * 64).map(lambda tick: tick / 64)
SPEECH = st.lists(st.tuples(TICKS, TICKS).map(sorted), max_size=12)


def summary(turns: tuple[Turn, ...]) -> list[tuple[int, str, float, float]]:
    """Return what matters most of each turn."""
    return [(turn.channel, turn.kind, turn.start_s, turn.end_s) for turn in turns]


@given(SPEECH, SPEECH)
def test_swapping_the_channels_swaps_the_parties(first: list, second: list) -> None:
    """Who is given first changes the channel numbers and nothing else."""
    there = [(turn.channel, turn.kind, turn.start_s, turn.end_s, turn.interrupts) for turn in find_turns(first, second)]
    back = [
        (1 - turn.channel, turn.kind, turn.start_s, turn.end_s, turn.interrupts) for turn in find_turns(second, first)
    ]
    assert sorted(there) == sorted(back)


@given(SPEECH, SPEECH, st.integers(1, 640))
def test_a_shift_in_time_changes_nothing_but_the_times(first: list, second: list, ticks: int) -> None:
    """A call that begins later has the same turns and latencies."""
    shift = ticks / 64
    later = ([(a + shift, b + shift) for a, b in first], [(a + shift, b + shift) for a, b in second])
    moved = [(c, kind, a - shift, b - shift) for c, kind, a, b in summary(find_turns(*later))]
    assert moved == summary(find_turns(first, second))


@given(SPEECH, SPEECH, SPEECH, SPEECH)
def test_two_calls_after_each_other_have_the_turns_of_both(a: list, b: list, c: list, d: list) -> None:
    """With a pause between them, longer than any threshold, calls don't touch each other."""
    shift = DURATION_S + 8
    later = ([(x + shift, y + shift) for x, y in c], [(x + shift, y + shift) for x, y in d])
    both = summary(find_turns(a + later[0], b + later[1]))
    alone = [(k, kind, x + shift, y + shift) for k, kind, x, y in summary(find_turns(c, d))]
    assert both == summary(find_turns(a, b)) + alone


@given(SPEECH, SPEECH)
def test_every_second_of_speech_is_in_exactly_one_turn(first: list, second: list) -> None:
    """Turns of one party neither lose speech nor share it."""
    turns = find_turns(first, second)
    for channel, speech in enumerate((first, second)):
        own = sorted((turn.start_s, turn.end_s) for turn in turns if turn.channel == channel)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(own))
        for start, end in speech:
            assert start == end or any(a <= start and end <= b for a, b in own)


@given(SPEECH, SPEECH)
def test_gaps_are_never_negative(first: list, second: list) -> None:
    """What begins in overlap has none."""
    gaps = np.array([turn.gap_before_s for turn in find_turns(first, second)])
    assert (gaps[~np.isnan(gaps)] >= 0).all()


@given(SPEECH, SPEECH)
def test_each_interrupting_turn_is_one_interruption_that_somebody_yields(first: list, second: list) -> None:
    """The table's flags and the list of interruptions agree, and each ends by one turn's end."""
    turns = find_turns(first, second)
    found = interruptions(turns)
    assert [(one.channel, one.start_s) for one in found] == [
        (turn.channel, turn.start_s) for turn in turns if turn.interrupts
    ]
    for one in found:
        ends = [turn.end_s for turn in turns if turn.channel == one.yielded_by and turn.kind != "backchannel"]
        assert one.end_s in ends
        assert one.time_to_yield_s >= 0.2


def test_pauses_under_a_second_are_inside_a_turn() -> None:
    """0.999 s go on, 1.0 s begin a new turn."""
    assert summary(find_turns([(0, 1), (1.999, 3)], [])) == [(0, "turn", 0, 3)]
    assert len(find_turns([(0, 1), (2.0, 3)], [])) == 2


def test_a_short_pause_in_which_the_other_had_a_turn_ends_ones_own() -> None:
    """The agent is cut off, the caller finishes, and the agent's next words are a new turn."""
    agent, caller = [(0, 4), (4.8, 7)], [(3.5, 4.4)]
    assert summary(find_turns(agent, caller)) == [
        (0, "turn", 0, 4),
        (1, "interruption", 3.5, 4.4),
        (0, "turn", 4.8, 7),
    ]


def test_a_party_that_gave_way_and_comes_back_in_overlap_interrupts() -> None:
    """The caller holds the floor alone for 0.8 s; the agent's next words cut in on the caller."""
    assert summary(find_turns([(0, 4), (4.8, 7)], [(3.5, 6)])) == [
        (0, "turn", 0, 4),
        (1, "interruption", 3.5, 6),
        (0, "interruption", 4.8, 7),
    ]


def test_a_party_that_goes_on_after_a_breath_never_gave_way() -> None:
    """Less than half a second alone takes no floor."""
    assert summary(find_turns([(0, 4), (4.4, 7)], [(3.5, 6)])) == [(0, "turn", 0, 7), (1, "interruption", 3.5, 6)]


@pytest.mark.parametrize("middle", [(2.0, 2.4), (2.85, 3.2), (3.52, 4.0)])
def test_a_short_utterance_in_the_others_turn_is_a_backchannel(middle: tuple[float, float]) -> None:
    """A short "mm-hm" takes no floor: in speech, also just before a breath, and where the other doesn't wait for it."""
    turns = find_turns([(0, 3), (3.1, 3.5), (3.7, 9)], [middle])
    assert summary(turns) == [(0, "turn", 0, 9), (1, "backchannel", *middle)]
    assert not turns[1].interrupts
    assert not interruptions(turns)


@pytest.mark.parametrize("length_s", [0.45, 0.5, 0.8, 2.0])
@pytest.mark.parametrize("yield_s", [0.2, 0.5, 0.75, 1.2, 2.0, 2.95])
@pytest.mark.parametrize("then", ["the caller goes on", "the agent replies", "nobody speaks"])
def test_barge_ins_count_however_late_the_agent_stops(length_s: float, yield_s: float, then: str) -> None:
    """A "stop" of 0.45 s or more, at 4 s, is one interruption, whose time to yield is the agent's."""
    over_s = 4 + max(yield_s, length_s)
    rest = [(over_s + 0.4, over_s + 2)] if then == "the caller goes on" else []
    reply = [(over_s + 1.2, over_s + 4)] if then == "the agent replies" else []
    (one,) = interruptions(find_turns([(0, 4 + yield_s), *reply], [(4, 4 + length_s), *rest]))
    assert (one.channel, one.start_s, one.yielded_by) == (1, 4, 0)
    assert one.time_to_yield_s == pytest.approx(yield_s)


@pytest.mark.parametrize("pause_s", [0.5, 0.75, 0.95])
def test_an_agent_that_replies_fast_has_stopped(pause_s: float) -> None:
    """From half a second of silence on after a barge-in; with less it never stopped."""
    caller = [(4, 4.5)]
    turns = find_turns([(0, 5), (5 + pause_s, 12)], caller)
    assert summary(turns) == [(0, "turn", 0, 5), (1, "interruption", 4, 4.5), (0, "turn", 5 + pause_s, 12)]
    assert summary(find_turns([(0, 5), (5.4, 12)], caller)) == [(0, "turn", 0, 12), (1, "backchannel", 4, 4.5)]


@pytest.mark.parametrize(
    ("agent", "caller", "why"),
    [
        ([(0, 12)], [(4, 4.5)], "the agent speaks on"),
        ([(0, 5)], [(4, 4.4)], "quick"),
        ([(0, 5)], [(4, 4.5), (5.75, 7)], "the caller answers when the agent has finished"),
        ([(0, 6.5)], [(4, 4.5), (5.2, 5.5)], "the caller says it again, and the agent stops after that"),
        ([(0, 4 + MAX_YIELD_S)], [(4, 4.5)], "the agent speaks for as long as that"),
    ],
)
def test_what_is_no_barge_in(agent: list, caller: list, why: str) -> None:
    """Short words that leave the floor where it is."""
    first = next(turn for turn in find_turns(agent, caller) if turn.channel == 1)
    assert (first.kind, first.start_s) == ("backchannel", 4), why


def test_words_with_short_pauses_are_one_barge_in() -> None:
    """No - stop - wait a moment: no word of it is feedback, though the agent speaks on for 1.5 s."""
    caller = [(3, 3.3), (3.6, 4.0), (4.3, 5.2)]
    assert summary(find_turns([(0, 4.5)], caller)) == [(0, "turn", 0, 4.5), (1, "interruption", 3, 5.2)]


def test_a_short_answer_with_the_last_syllable_is_no_interruption() -> None:
    """An early "yes" that outlasts the question is a turn; it is too short for a barge-in."""
    turns = find_turns([(0, 3)], [(2.7, 3.1)])
    assert summary(turns) == [(0, "turn", 0, 3), (1, "turn", 2.7, 3.1)]


@pytest.mark.parametrize("answer", [(3.2, 3.6), (2.85, 3.3), (3.5, 3.8)])
def test_a_short_answer_in_a_short_pause_is_a_turn(answer: tuple[float, float]) -> None:
    """A "yes" in a pause of 0.8 s ends the agent's turn; what the agent says next is another one."""
    turns = find_turns([(0, 3), (3.8, 6)], [answer])
    assert summary(turns) == [(0, "turn", 0, 3), (1, "turn", *answer), (0, "turn", 3.8, 6)]


def test_a_short_answer_after_the_other_has_finished_is_a_turn() -> None:
    """A "yes" is an answer where the other doesn't go on within the same turn."""
    assert summary(find_turns([(0, 3), (4.5, 6)], [(3.3, 3.7)]))[1] == (1, "turn", 3.3, 3.7)


def test_a_backchannel_just_before_cutting_in_is_told_apart() -> None:
    """First "mm-hm" and then "but I ..." are feedback and an interruption."""
    turns = find_turns([(0, 4)], [(2.5, 2.9), (3.4, 6)])
    assert summary(turns) == [(0, "turn", 0, 4), (1, "backchannel", 2.5, 2.9), (1, "interruption", 3.4, 6)]


def test_a_stutter_before_taking_over_is_not_a_backchannel() -> None:
    """One "I- I want ..." across the other's end is one turn that interrupts."""
    turns = find_turns([(0, 4)], [(3.4, 3.7), (4.0, 6)])
    assert summary(turns) == [(0, "turn", 0, 4), (1, "interruption", 3.4, 6)]


@pytest.mark.parametrize(("start", "interrupts"), [(0.1, False), (0.2, True), (3.8, True), (3.85, False), (4.2, False)])
def test_only_starting_within_the_others_turn_interrupts(start: float, *, interrupts: bool) -> None:
    """Starting together, and overlapping the last syllable, are no interruptions."""
    turn = next(turn for turn in find_turns([(0, 4)], [(start, 6)]) if turn.channel == 1)
    assert turn.interrupts is interrupts


def test_who_stops_first_yields() -> None:
    """The agent gives way, also when the caller is silent already, or the caller gives up."""
    (given_way,) = interruptions(find_turns([(0, 4)], [(3.25, 6)]))
    assert (given_way.yielded_by, given_way.time_to_yield_s) == (0, 0.75)
    (slowly,) = interruptions(find_turns([(0, 6)], [(3.25, 4.5)]))
    assert (slowly.yielded_by, slowly.time_to_yield_s) == (0, 2.75)
    (given_up,) = interruptions(find_turns([(0, 7)], [(3.25, 4.5)]))
    assert (given_up.yielded_by, given_up.time_to_yield_s) == (1, 1.25)
    (contested,) = interruptions(find_turns([(0, 7)], [(3.25, 8)]))
    assert (contested.yielded_by, contested.time_to_yield_s) == (0, 3.75)


def test_gap_and_overlap_of_each_turn() -> None:
    """The first turn has no gap, nor has one that begins in overlap."""
    turns = find_turns([(1, 4), (8, 9)], [(3.5, 6), (8.5, 12)])
    assert [turn.overlap_s for turn in turns] == [0.5, 0.5, 0.5, 0.5]
    assert np.isnan([turn.gap_before_s for turn in turns]).tolist() == [True, True, False, True]
    assert turns[2].gap_before_s == 2.0


def test_floor_transfer_offsets_are_negative_in_overlap() -> None:
    """Gap and overlap are two signs of one measure; a turn inside the other's transfers nothing."""
    turns = find_turns([(0, 2), (5.5, 8), (11, 14)], [(2.5, 6), (12, 13)])
    assert floor_transfer_offsets(turns, to=0).tolist() == [-0.5]
    assert floor_transfer_offsets(turns, to=1).tolist() == [0.5]
    given_up = find_turns([(0, 6), (7.5, 9)], [(2, 3)])
    assert floor_transfer_offsets(given_up, to=0).tolist() == []


def test_a_monologue_goes_on_over_backchannels_and_pauses() -> None:
    """It ends with the other's turn or with dead air."""
    agent = [(0, 4), (5.5, 9), (9.2, 9.9), (14, 15)]
    stretch = longest_monologue(find_turns(agent, [(2, 2.4), (16, 17)]))
    assert stretch is not None
    assert (stretch.channel, stretch.start_s, stretch.end_s) == (0, 0.0, 9.9)
    assert longest_monologue(()) is None


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), "1", None, True])
def test_times_that_are_none_are_refused(seconds: Any) -> None:
    """NaN compares as false with everything, and would move every boundary without a word."""
    for name in ("max_pause_s", "max_backchannel_s", "min_overlap_s", "min_barge_in_s", "max_yield_s"):
        with pytest.raises(ValueError, match=f"{name}=.*: pass seconds, at least 0"):
            find_turns([(0, 1)], [(0.5, 2)], **{name: seconds})
    for refused in (
        lambda: interruptions([], max_yield_s=seconds),
        lambda: longest_monologue([], max_pause_s=seconds),
    ):
        with pytest.raises(ValueError, match="pass seconds, at least 0"):
            refused()


def test_nobody_speaks() -> None:
    """No speech gives no turns and no monologue."""
    assert find_turns([], []) == ()
    assert longest_monologue(()) is None


def test_an_array_of_another_shape_is_refused() -> None:
    """Three columns are no intervals."""
    with pytest.raises(ValueError, match=r"pass \(n, 2\)"):
        find_turns([(1, 2, 3)], [])


# A call as scripted, with pauses inside turns and the kinds its author gave them.
SCRIPT = [
    (1, "turn", [(0.83, 2.88), (3.02, 3.57), (3.97, 7.30)]),
    (0, "backchannel", [(6.03, 6.41)]),
    (0, "turn", [(7.70, 8.21)]),
    (1, "turn", [(10.58, 12.99)]),
    (0, "turn", [(13.41, 13.90), (14.29, 17.26), (17.60, 22.27)]),
    (1, "backchannel", [(16.82, 17.22)]),
    (1, "turn", [(22.85, 25.46)]),
    (0, "interruption", [(24.96, 26.18)]),
    (1, "turn", [(26.83, 27.72), (28.26, 31.59)]),
    (0, "turn", [(32.19, 32.68)]),
    (1, "turn", [(32.96, 35.02), (35.15, 35.70)]),
    (0, "turn", [(36.30, 37.52), (37.82, 39.16), (39.65, 41.73)]),
    (1, "interruption", [(41.15, 43.0)]),
]


def test_a_scripted_call_is_read_as_it_was_written() -> None:
    """Kinds and borders of all turns of a realistic call come back."""
    speech = [[segment for c, _, segments in SCRIPT if c == channel for segment in segments] for channel in (0, 1)]
    written = [(c, kind, segments[0][0], segments[-1][1]) for c, kind, segments in SCRIPT]
    assert summary(find_turns(*speech)) == written
