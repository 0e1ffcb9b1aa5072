"""Who holds the floor, rule by rule; `test_conversation` has what they make of whole calls."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.numbers.turn_taking import Thresholds, cut, group, holder, holds_floor, without_backchannels

pytestmark = pytest.mark.core

THRESHOLDS = Thresholds(max_pause_s=1.0, max_backchannel_s=0.8, min_overlap_s=0.2, min_barge_in_s=0.45, max_yield_s=3.0)
NOBODY = np.empty((0, 2))


def turn(*segments: tuple[float, float]) -> np.ndarray:
    """Return one party's turn of these segments."""
    return np.array(segments, dtype=np.float64)


def test_a_pause_of_the_threshold_ends_a_turn() -> None:
    """And a shorter one does not."""
    parts = group(turn((0, 1), (1.75, 2), (3, 4)), NOBODY, THRESHOLDS)
    assert [part.tolist() for part in parts] == [[[0, 1], [1.75, 2]], [[3, 4]]]
    assert group(NOBODY, NOBODY, THRESHOLDS) == []


@pytest.mark.parametrize(
    ("other", "ends"),
    [((1.1, 1.5), True), ((0.85, 1.2), True), ((1.5, 1.9), False), ((0.3, 0.8), True), ((0.3, 0.6), False)],
    ids=["answer", "early answer", "overtaken", "barge-in", "mm-hm"],
)
def test_a_shorter_pause_ends_a_turn_where_the_other_is_why(other: tuple[float, float], *, ends: bool) -> None:
    """By an answer in it, or a barge-in before it; from half the threshold on and within 3 s for the latter."""
    assert (len(group(turn((0, 1), (1.75, 4)), turn(other), THRESHOLDS)) == 2) is ends


def test_only_the_first_stop_after_a_barge_in_answers_it() -> None:
    """A later pause is one of a party that went on; a stop after `max_yield_s` is none for it either."""
    barge_in = turn((0.3, 0.8))
    parts = group(turn((0, 1), (1.6, 2), (2.7, 4)), barge_in, THRESHOLDS)
    assert [len(part) for part in parts] == [1, 2]
    assert len(group(turn((0, 3.4), (4.1, 6)), barge_in, THRESHOLDS)) == 1


def test_the_holder_is_who_began_last() -> None:
    """Also after its end; nobody before the first turn, or at its very start."""
    turns = [turn((1, 2)), turn((4, 5))]
    assert holder(turns, 1.0) is None
    assert holder(turns, 3.0) is turns[0]
    assert holder(turns, 4.5) is turns[1]


@pytest.mark.parametrize(("start_s", "holds"), [(1.125, False), (1.25, True), (4.75, True), (4.875, False), (9, False)])
def test_the_floor_is_held_but_for_an_overlap_at_both_ends(start_s: float, *, holds: bool) -> None:
    """Starting together is no interruption, and neither is the other's last syllable."""
    assert holds_floor([turn((1, 2), (2.5, 5))], start_s, THRESHOLDS) is holds


def test_feedback_in_front_of_a_turn_is_taken_off_it() -> None:
    """Where the other still speaks when the turn begins; a stutter before taking over stays."""
    own = turn((1, 1.3), (1.8, 4))
    others = [turn((0, 3))]
    side = without_backchannels([own], others, THRESHOLDS)
    assert [one.tolist() for one in side.backchannels] == [[[1, 1.3]]]
    assert [one.tolist() for one in side.turns] == [[[1.8, 4]]]
    stutter = turn((1, 1.3), (1.6, 4))
    side = without_backchannels([stutter], others, THRESHOLDS)
    assert (side.backchannels, [one.tolist() for one in side.turns]) == ([], [stutter.tolist()])


def test_a_turn_is_cut_where_the_other_took_the_floor_in_its_pause() -> None:
    """With a turn that ends in the pause, or half a pause alone; not by who began before it."""
    own = turn((0, 1), (1.9, 3))
    assert len(cut([own], [turn((1.2, 1.5))], THRESHOLDS)) == 2
    assert len(cut([own], [turn((1.1, 2.5))], THRESHOLDS)) == 2
    assert len(cut([own], [turn((1.5, 2.5))], THRESHOLDS)) == 1
    assert len(cut([own], [turn((-1, 1.5))], THRESHOLDS)) == 1


@pytest.mark.parametrize("name", ["max_pause_s", "max_backchannel_s", "min_overlap_s", "min_barge_in_s", "max_yield_s"])
def test_each_threshold_is_checked(name: str) -> None:
    """And named where it is no number of seconds."""
    values = {each: getattr(THRESHOLDS, each) for each in THRESHOLDS.__slots__}
    with pytest.raises(ValueError, match=f"{name}=-1"):
        Thresholds(**(values | {name: -1}))
