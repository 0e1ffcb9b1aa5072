"""Coefficients against worked examples, and intervals where there is nothing to resample."""

from __future__ import annotations

import sys

import krippendorff
import numpy as np
import pytest

from kataven_notebook.errors import MissingExtra
from kataven_notebook.stats.agreement import Resampling, cohens_kappa, krippendorffs_alpha, positive_agreement

FAST = Resampling(resamples=500)


def test_kappa_is_that_of_a_worked_example() -> None:
    """Three categories: agreement 0.7, by chance 0.41."""
    table = np.array([[44, 5, 1], [7, 20, 3], [9, 5, 6]])
    first, second = np.repeat(np.indices((3, 3)).reshape(2, -1), table.ravel(), axis=1)
    found = cohens_kappa(first, second, FAST)
    assert found.agreed == pytest.approx(0.70)
    assert found.value == pytest.approx((0.70 - 0.41) / (1 - 0.41))
    assert found.low < found.value < found.high


def test_kappa_is_below_zero_where_chance_would_do_better() -> None:
    """Full disagreement on equal shares is -1."""
    assert cohens_kappa([0, 1, 0, 1], [1, 0, 1, 0], FAST).value == pytest.approx(-1)


@pytest.mark.parametrize("judges", [2, 3, 5])
def test_the_resamples_are_of_the_library_s_alpha(judges) -> None:
    """What is resampled by our formula has the value that the library has, missing judgments included."""
    random = np.random.default_rng(judges)
    counts = random.multinomial(judges, [0.6, 0.3, 0.1], size=40)
    counts[:3] = [[1, 0, 0], [0, 0, 0], [2, 0, 0]]
    found = krippendorffs_alpha(counts, FAST)
    assert found.value == pytest.approx(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
    assert found.low < found.value < found.high
    assert found.n == (counts.sum(axis=1) > 1).sum()
    many = np.tile(counts, (400, 1))
    near = krippendorffs_alpha(many, FAST)
    assert (near.low + near.high) / 2 == pytest.approx(near.value, abs=0.01)


def test_where_nothing_varies_there_is_no_coefficient() -> None:
    """Though all agree."""
    for found in (cohens_kappa([1] * 9, [1] * 9, FAST), krippendorffs_alpha([[3, 0]] * 9, FAST)):
        assert np.isnan(found.value)
        assert np.isnan(found.low)
        assert found.agreed == 1


def test_full_agreement_is_not_certain() -> None:
    """Twenty calls without a disagreement allow 17 % of them; more calls allow less."""
    few, many = (cohens_kappa([0, 1] * n, [0, 1] * n, FAST) for n in (10, 100))
    assert few.value == many.value == few.high == 1
    assert few.low == pytest.approx(1 - (1 - 0.025 ** (1 / 20)) / 0.5)
    assert few.low < many.low < 1
    assert krippendorffs_alpha([[3, 0], [0, 3]] * 10, FAST).low < 1


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Kappa 0.6 of two judges who are right nine times in ten."""
    random, held = np.random.default_rng(3), 0
    for _ in range(200):
        truth = random.random(100) < 0.3
        first, second = (truth ^ (random.random(100) < 0.1) for _ in range(2))
        found = cohens_kappa(first.astype(int), second.astype(int), FAST)
        held += found.low <= 0.5995 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_marks_are_resampled_by_call() -> None:
    """F1 of sums; a call with many marks counts for more, and makes the interval longer."""
    found = positive_agreement([2] * 20 + [0] * 20, [2] * 40, FAST)
    assert found.value == 0.5
    assert found.low < 0.5 < found.high
    clustered = positive_agreement([20, 20, 0, 0], [20] * 4, FAST)
    assert clustered.high - clustered.low > found.high - found.low


@pytest.mark.parametrize(("matched", "value"), [(2, 1.0), (0, 0.0)])
def test_marks_that_all_or_none_agree_leave_an_interval(matched, value) -> None:
    """Not a point."""
    found = positive_agreement([matched] * 30, [2] * 30, FAST)
    assert found.value == value
    assert found.high - found.low == pytest.approx(1 - 0.025 ** (1 / 30))


def test_what_all_resamples_say_alike_is_no_interval() -> None:
    """One call with marks, or none at all."""
    assert np.isnan(positive_agreement([2], [4], FAST).low)
    assert np.isnan(positive_agreement([0, 0], [0, 0], FAST).value)
    assert np.isnan(positive_agreement([], [], FAST).value)
    assert cohens_kappa([], [], FAST).n == krippendorffs_alpha([[1, 0]], FAST).n == 0


def test_alpha_says_which_extra_it_needs(monkeypatch) -> None:
    """As the package does without the library otherwise."""
    monkeypatch.setitem(sys.modules, "krippendorff", None)
    with pytest.raises(MissingExtra, match=r"kataven-notebook\[study\]"):
        krippendorffs_alpha([[2, 0]], FAST)
