"""Moments have names of their own, which neither floats' last bits nor edges a little off change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_calls import FIRST, SECOND, measured, sound

from kataven_notebook.numbers.moment_ids import moment_id, moment_ids
from kataven_notebook.numbers.moments import moment_rows

pytestmark = pytest.mark.core

SOUND = "9f86d081884c7d65"


def same_beside(at_s: float) -> bool:
    """Whether a time, and those that rounding makes of it, are one place."""
    beside = (at_s, at_s + 1e-9, max(0.0, at_s - 1e-9), float(np.nextafter(at_s, np.inf)))
    return len({moment_id(SOUND, "dead air", None, each) for each in beside}) == 1


@given(st.integers(0, 10_000_000), st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000]))
def test_the_last_bits_of_a_time_decide_nothing(frame: int, rate: int) -> None:
    """Whatever frame an edge lies on: the same time, computed in another order, is the same place."""
    assert same_beside(frame / rate)


def test_the_last_bits_of_a_time_halfway_between_two_tenths_decide_nothing() -> None:
    """There plain rounding would go up or down."""
    assert all(same_beside((2 * number + 1) / 20) for number in range(1_000))


def test_each_part_makes_another_name() -> None:
    """Sound, kind, channel and place; a few milliseconds are no other place."""
    first = moment_id(SOUND, "interruption", 0, 12.3)
    others = [
        moment_id("0" + SOUND[1:], "interruption", 0, 12.3),
        moment_id(SOUND, "clipping", 0, 12.3),
        moment_id(SOUND, "interruption", 1, 12.3),
        moment_id(SOUND, "interruption", None, 12.3),
        moment_id(SOUND, "interruption", 0, 12.45),
        moment_id(SOUND, "interruption", 0, 12.3, nth=1),
    ]
    assert len({first, *others}) == 7
    assert moment_id(SOUND, "interruption", np.int64(0), np.float64(12.31)) == first


def test_many_names_are_all_different() -> None:
    """A hundred thousand places of one call, which only a hash tells apart."""
    assert len({moment_id(SOUND, "dead air", None, each / 5) for each in range(100_000)}) == 100_000


def test_a_name_is_one_word_everywhere() -> None:
    """It is no number to a spreadsheet, and safe in the name of a file."""
    for each in range(200):
        name = moment_id(SOUND, "dead air", None, each)
        assert name[0] == "m"
        assert name.isalnum()
        assert len(name) == 13


def test_moments_of_one_place_are_told_apart_by_their_order_in_time() -> None:
    """However they are listed."""
    early, late = ("interruption", 0, 5.01), ("interruption", 0, 5.03)
    assert moment_ids(SOUND, [early, late]) == moment_ids(SOUND, [late, early])[::-1]
    assert len(set(moment_ids(SOUND, [early, late]))) == 2
    assert moment_ids(SOUND, [early])[0] in moment_ids(SOUND, [late, early])


def test_rows_have_names_where_the_sound_is_known() -> None:
    """The same whichever channel the agent is on; None is better than a name that the sound has no part in."""
    found = measured(sound(FIRST, SECOND))
    assert {row["moment_id"] for row in moment_rows(found, 0)} == {None}
    known = replace(found, checksum=SOUND)
    names = {(row["kind"], row["start_s"]): row["moment_id"] for row in moment_rows(known, None)}
    assert len(set(names.values())) == len(names) > 1
    for row in moment_rows(known, 0):
        assert names[row["kind"], row["start_s"]] == row["moment_id"]
