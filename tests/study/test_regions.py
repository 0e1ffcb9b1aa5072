"""Regions of two listeners: matched by overlap, as many as possible."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.study.regions import matched, overlaps

pytestmark = pytest.mark.core


def spans(*pairs: tuple[float, float]) -> np.ndarray:
    """Starts and ends."""
    return np.array(pairs, dtype=float).reshape(-1, 2)


def test_as_many_as_possible_are_matched() -> None:
    """Taking the first for the first would leave the second alone."""
    one, other = matched(spans((0, 4), (3, 5)), spans((3, 4), (0, 1)), least=0.5)
    assert one.all()
    assert other.all()


def test_each_region_is_taken_once() -> None:
    """Two short ones in a long one are not two of it."""
    one, other = matched(spans((0, 1), (2, 3)), spans((0, 10)), least=0.5)
    assert (one.sum(), other.sum()) == (1, 1)


@pytest.mark.parametrize(("least", "expected"), [(0.5, True), (0.51, False)])
def test_the_overlap_that_is_asked_for_decides(least, expected) -> None:
    """As a part of the shorter region."""
    assert matched(spans((0, 4)), spans((2, 12)), least=least)[0].tolist() == [expected]


def test_points_match_what_they_touch() -> None:
    """They have no length of which a part could overlap."""
    assert overlaps(spans((5, 5)), spans((4, 5), (5, 5), (6, 7))).tolist() == [[1, 1, 0]]


def test_no_regions_match_nothing() -> None:
    """On either side."""
    one, other = matched(spans(), spans((1, 2)), least=0.5)
    assert (len(one), other.tolist()) == (0, [False])
