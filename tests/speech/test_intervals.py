"""Sets of intervals: sorted, disjoint, and the same however they are computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_notebook.speech.intervals import between, complement, intersection, join, tidy, total_s, union

pytestmark = pytest.mark.core

DURATION_S = 16.0
# Sixteenths of a second are exact in binary, so that sums may be compared without a tolerance.
TIMES = st.integers(-16, 17 * 16).map(lambda tick: tick / 16)
SETS = st.lists(st.tuples(TIMES, TIMES).map(sorted), max_size=8)


@given(SETS, SETS)
def test_sets_add_up_as_sets_do(first: list, second: list) -> None:
    """Union and intersection have the length of both; a set and its complement that of the call."""
    a, b = tidy(first, duration_s=DURATION_S), tidy(second, duration_s=DURATION_S)
    assert total_s(union(a, b)) + total_s(intersection(a, b)) == total_s(a) + total_s(b)
    assert total_s(a) + total_s(complement(a, DURATION_S)) == DURATION_S
    assert not len(intersection(a, complement(a, DURATION_S)))


@given(SETS)
def test_a_tidy_set_is_sorted_disjoint_and_within_the_sound(intervals: list) -> None:
    """Whatever order, overlap and excess it came with."""
    edges = tidy(intervals, duration_s=DURATION_S).ravel()
    assert (np.diff(edges) > 0).all()
    assert not len(edges) or (edges[0] >= 0 and edges[-1] <= DURATION_S)


@given(SETS, TIMES, st.integers(1, 64))
def test_between_has_what_lies_at_least_partly_there(intervals: list, start_s: float, ticks: int) -> None:
    """The same as looking at each interval."""
    tidied, end_s = tidy(intervals), start_s + ticks / 16
    expected = [one for one in tidied.tolist() if one[1] > start_s and one[0] < end_s]
    assert between(tidied, start_s, end_s).tolist() == expected


def test_pauses_below_the_gap_are_joined() -> None:
    """A pause of exactly the gap stays; a long interval reaches over those inside it."""
    assert join(np.array([[0.0, 1.0], [1.25, 2.0], [2.5, 3.0]]), 0.5).tolist() == [[0.0, 2.0], [2.5, 3.0]]
    assert join(np.array([[0.0, 9.0], [1.0, 2.0], [9.25, 10.0]]), 0.5).tolist() == [[0.0, 10.0]]


def test_another_shape_is_refused() -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match=r"shape \(3,\): pass \(n, 2\)"):
        tidy([0.0, 1.0, 2.0])
