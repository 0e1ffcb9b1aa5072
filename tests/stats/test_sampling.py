"""Chances are what they are said to be, and a seed draws the same whatever the order."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.stats.sampling import (
    LEAST_CHANCE,
    allocation,
    drawn,
    inclusion_probabilities,
    own_numbers,
)

pytestmark = pytest.mark.core


def test_units_are_drawn_as_often_as_their_chances_say() -> None:
    """Over 6,000 draws, each unit within four standard errors, and each draw has the size that was asked for."""
    scores = [1, 1, 2, 3, 4, 5, 8, 13, 21, 60]
    chances = inclusion_probabilities(scores, 4)
    counts = np.zeros(len(scores))
    names = [f"c-{at}" for at in range(len(scores))]
    for seed in range(6_000):
        found = drawn(chances, own_numbers(names, seed), float(own_numbers(["start"], seed)[0]))
        assert len(set(found.tolist())) == 4
        counts[found] += 1
    error = np.sqrt(chances * (1 - chances) / 6_000)
    assert np.all(np.abs(counts / 6_000 - chances) <= 4 * error)
    assert counts[-1] == 6_000, "the largest score makes a unit certain"


def test_chances_are_proportional_but_for_what_is_certain_or_tiny() -> None:
    """They add up to the size of the sample, none is 0 and none above 1."""
    chances = inclusion_probabilities([0, np.nan, 10, 20, 1e300], 2)
    assert chances.sum() == pytest.approx(2)
    assert np.all((chances > 0) & (chances <= 1))
    plain = inclusion_probabilities([1, 2, 3], 1)
    assert plain.tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    least = inclusion_probabilities([0, 1, 1, 1], 1)
    assert least[0] / least[1] == pytest.approx(LEAST_CHANCE * 0.75)


@pytest.mark.parametrize("scores", [[0, 0, 0, 0], [np.nan] * 4, [5, 5, 5, 5]])
def test_scores_without_a_difference_give_equal_chances(scores) -> None:
    """Also where there is no score at all."""
    assert inclusion_probabilities(scores, 2).tolist() == [0.5] * 4


def test_a_sample_larger_than_the_frame_is_the_frame() -> None:
    """With the chance 1 for each."""
    chances = inclusion_probabilities([1, 2, 3], 5)
    assert chances.tolist() == [1, 1, 1]
    assert drawn(chances, own_numbers("abc", 0), 0.5).tolist() == [0, 1, 2]
    assert len(drawn(np.empty(0), np.empty(0), 0.5)) == 0


def test_a_larger_sample_of_equal_chances_holds_the_smaller_one() -> None:
    """So that listening can go on where it ended."""
    numbers = own_numbers([f"c-{at}" for at in range(50)], 3)
    small, large = (set(drawn(np.full(50, n / 50), numbers, 0.5).tolist()) for n in (5, 20))
    assert len(small) == 5
    assert small < large


def test_many_chances_end_at_the_size_that_was_asked_for() -> None:
    """Sums of 100,000 floats end beside a whole number; the last step must still find a unit."""
    chances = inclusion_probabilities(np.random.default_rng(0).gamma(1, 1, 100_000), 1_000)
    for start in (0.0, 0.5, 1 - 1e-12):
        assert len(np.unique(drawn(chances, np.random.default_rng(1).random(100_000), start))) == 1_000


@pytest.mark.parametrize(
    ("sizes", "n", "how", "expected"),
    [
        ([90, 10], 10, "proportional", [8, 2]),
        ([50, 30, 20], 10, "proportional", [5, 3, 2]),
        ([998, 1, 1], 10, "proportional", [8, 1, 1]),
        ([500, 500, 3], 30, "equal", [14, 13, 3]),
        ([5, 5], 99, "equal", [5, 5]),
        ([5, 5, 5], 3, "proportional", [1, 1, 1]),
        ([5, 5, 5, 5], 6, "equal", [2, 2, 1, 1]),
        ([], 3, "proportional", []),
    ],
)
def test_strata_get_their_parts(sizes, n, how, expected) -> None:
    """In proportion or equally, two of each where that is possible, never more than there are."""
    assert allocation(sizes, n, how).tolist() == expected


def test_allocations_always_add_up() -> None:
    """For any sizes."""
    random = np.random.default_rng(5)
    for _ in range(300):
        sizes = random.integers(0, 40, random.integers(1, 9))
        n = int(random.integers(1, 200))
        for how in ("proportional", "equal"):
            found = allocation(sizes, n, how)
            assert found.sum() == min(n, sizes.sum())
            assert np.all((found >= 0) & (found <= sizes))
