"""The values of a pilot, and samples drawn of them."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.stats.pilot import Move, Pilot, bandwidth

pytestmark = pytest.mark.core


def test_clusters_are_drawn_whole_and_told_apart() -> None:
    """A cluster that is drawn twice is two."""
    pilot = Pilot(np.array([1.0, 5.0, 2.0]), np.array([7, 9, 7]), np.array([60.0, 30.0, 60.0]))
    drawn = pilot.redrawn(50, np.random.default_rng(0))
    assert drawn.clusters is not None
    assert drawn.exposure_s is not None
    for each in range(50):
        members = drawn.clusters == each
        assert sorted(drawn.values[members]) in ([1.0, 2.0], [5.0])
        assert set(drawn.exposure_s[members]) in ({60.0}, {30.0})


def test_blurred_values_lie_between_those_of_the_pilot() -> None:
    """But for counts, which stay whole, and equal values, which have no width."""
    values = np.array([0.5, 1.25, 2.0, 2.75])
    drawn = Pilot(values).blurred().redrawn(200, np.random.default_rng(0)).values
    assert len(np.unique(drawn)) == 200
    assert np.ptp(drawn) > np.ptp(values)
    assert Pilot(np.arange(9.0)).blurred().blur == 0
    assert bandwidth(np.ones(5)) == 0


def test_a_move_without_a_gap_leaves_the_values() -> None:
    """They are those of the pilot."""
    random = np.random.default_rng(0)
    drawn = Pilot(np.array([1.0, 2.0, 3.5])).redrawn(20, random)
    assert Move("shift", 2.0, 2.0).of(drawn, random) is drawn.values
    assert Move("shift", 3.0, 2.0).of(drawn, random) == pytest.approx(drawn.values + 1)
