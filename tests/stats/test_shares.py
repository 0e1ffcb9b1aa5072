"""Weighted shares: the value by hand, the interval by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.stats.sampling import drawn, inclusion_probabilities
from kataven_notebook.stats.shares import share

pytestmark = pytest.mark.core


def test_the_share_is_the_weighted_one() -> None:
    """Hájek's: of 10 calls for one and 2 for the other."""
    found = share([1, 0, 0], [0.1, 0.5, 0.5])
    assert found.value == pytest.approx(10 / 14)
    assert (found.size, found.total, found.n) == (pytest.approx(14), pytest.approx(10), 3)


def test_equal_chances_give_the_textbook_variance() -> None:
    """With the finite-population correction: (1 - f) p (1 - p) / (n - 1), which the effective size returns."""
    found = share([1] * 30 + [0] * 30, [0.2] * 60)
    assert found.effective_n == pytest.approx(59 / 0.8)


def test_strata_that_explain_the_label_make_it_surer() -> None:
    """And those that don't, don't."""
    hits = np.repeat([1.0, 0.0], 30)
    telling = share(hits, [0.1] * 60, strata=np.repeat([0, 1], 30))
    idle = share(hits, [0.1] * 60, strata=np.tile([0, 1], 30))
    assert telling.effective_n > 60 / 0.9
    assert idle.high - idle.low == pytest.approx(share(hits, [0.1] * 60).high - share(hits, [0.1] * 60).low, rel=0.02)


def test_strata_of_one_unit_have_a_spread_all_the_same() -> None:
    """Many of them together, and a single one with the largest: as sure as without strata, and no surer."""
    hits = np.tile([1.0, 0.0, 0.0], 20)
    plain = share(hits, [0.1] * 60)
    alone = share(hits, [0.1] * 60, strata=np.arange(60))
    assert (alone.low, alone.high) == (plain.low, plain.high)
    one = share(hits, [0.1] * 60, strata=np.append(np.zeros(59, dtype=int), 1))
    assert one.effective_n == pytest.approx(plain.effective_n)


def test_hearing_everything_leaves_nothing_unsure() -> None:
    """The interval is the share itself."""
    found = share([1, 0, 0, 0], [1, 1, 1, 1])
    assert (found.low, found.value, found.high) == (0.25, 0.25, 0.25)
    assert found.effective_n == np.inf


def test_none_of_sixty_is_not_none_of_all() -> None:
    """The upper end is about 3 / n (the rule of three: 5 %), and the lower one 0."""
    found = share([0] * 60, [60 / 100_000] * 60)
    assert (found.value, found.low) == (0, 0)
    assert 0.045 < found.high < 0.07
    turned = share([1] * 60, [60 / 100_000] * 60)
    assert (turned.high, turned.low) == (1, pytest.approx(1 - found.high))


def test_unequal_chances_make_none_of_sixty_less_sure() -> None:
    """As a few calls of large weight stand for many."""
    chances = np.where(np.arange(60) < 6, 0.001, 0.05)
    assert share([0] * 60, chances).high > 2 * share([0] * 60, [0.01] * 60).high


def test_nothing_and_one_leave_no_interval() -> None:
    """The value of one call is known, how sure it is is not."""
    assert np.isnan(share([], []).value)
    one = share([1], [0.1])
    assert one.value == 1
    assert np.isnan(one.low)


def test_a_part_of_the_population_is_told_apart() -> None:
    """Its share is that of its own calls."""
    found = share([1, 1, 0, 0, 0, 0], [0.1] * 6, within=[True, True, True, True, False, False])
    assert (found.value, found.n, found.size) == (0.5, 4, pytest.approx(40))


def coverage(scores, hits, n, *, draws) -> float:
    """How often the interval of a sample favouring the scores holds the share of all."""
    random = np.random.default_rng(2)
    chances = inclusion_probabilities(scores, n)
    held = 0
    for _ in range(draws):
        chosen = drawn(chances, random.random(len(hits)), random.random())
        found = share(hits[chosen], chances[chosen])
        held += found.low <= hits.mean() <= found.high
    return held / draws


@pytest.mark.parametrize("is_favoured", [False, True])
def test_the_interval_holds_the_truth_as_often_as_it_says(is_favoured) -> None:
    """Of samples with equal and with unequal chances; the benchmark has the table."""
    random = np.random.default_rng(8)
    scores = random.gamma(1.5, 1, 1_000)
    hits = (random.random(1_000) < np.clip(scores / 8, 0, 1)).astype(float)
    held = coverage(scores if is_favoured else np.ones(1_000), hits, 100, draws=400)
    assert 0.92 <= held <= 0.99


def test_a_few_calls_that_stand_for_nearly_all_are_as_few() -> None:
    """Four of them without the property say little of the 2,500, however many others have it."""
    chance = np.repeat([0.25, 0.0016], [56, 4])
    found = share(np.repeat([1, 0], [22, 38]), chance)
    assert found.value < 0.04
    assert found.high > 0.4
    assert found.effective_n < 6
