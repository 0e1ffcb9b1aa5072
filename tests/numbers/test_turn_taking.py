"""Who holds the floor, rule by rule; `test_conversation` has what they make of whole calls."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.numbers.turn_taking import Thresholds, cut, group, holder, holds_floor, without_backchannels

pytestmark = pytest.mark.core

THRESHOLDS = Thresholds(max_pause_s=1.0, max_backchannel_s=0.8, min_overlap_s=0.2)


def turn(*segments: tuple[float, float]) -> np.ndarray:
    """Return one party's turn of these segments."""
    return np.array(segments, dtype=np.float64)


def test_a_pause_of_the_threshold_ends_a_turn() -> None:
    """And a shorter one does not."""
    parts = group(turn((0, 1), (1.75, 2), (3, 4)), 1.0)
    assert [part.tolist() for part in parts] == [[[0, 1], [1.75, 2]], [[3, 4]]]
    assert group(np.empty((0, 2)), 1.0) == []


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
    own = turn((1, 1.3), (1.6, 4))
    others = [turn((0, 3))]
    side = without_backchannels([own], others, THRESHOLDS)
    assert [one.tolist() for one in side.backchannels] == [[[1, 1.3]]]
    assert [one.tolist() for one in side.turns] == [[[1.6, 4]]]
    stutter = without_backchannels([own], [turn((0, 1.75))], THRESHOLDS)
    assert (stutter.backchannels, [one.tolist() for one in stutter.turns]) == ([], [own.tolist()])


def test_a_turn_is_cut_where_the_other_took_the_floor_in_its_pause() -> None:
    """With a turn that ends in the pause, or half a pause alone; not by who began before it."""
    own = turn((0, 1), (1.9, 3))
    assert len(cut([own], [turn((1.2, 1.5))], THRESHOLDS)) == 2
    assert len(cut([own], [turn((1.1, 2.5))], THRESHOLDS)) == 2
    assert len(cut([own], [turn((1.5, 2.5))], THRESHOLDS)) == 1
    assert len(cut([own], [turn((-1, 1.5))], THRESHOLDS)) == 1


@pytest.mark.parametrize("name", ["max_pause_s", "max_backchannel_s", "min_overlap_s"])
def test_each_threshold_is_checked(name: str) -> None:
    """And named where it is no number of seconds."""
    values = {"max_pause_s": 1.0, "max_backchannel_s": 0.8, "min_overlap_s": 0.2}
    with pytest.raises(ValueError, match=f"{name}=-1"):
        Thresholds(**(values | {name: -1}))
