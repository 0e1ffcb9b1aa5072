"""Differences, ratios and p-values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kataven_notebook.stats.effects import effect_of, holm
from kataven_notebook.stats.means import spread_of_ratio
from kataven_notebook.stats.quantiles import spread_of_quantile
from kataven_notebook.stats.samples import make_sample

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(6)
Z = 1.959964


def mean(values, **options):
    """Return the spread of a mean."""
    return spread_of_ratio(make_sample(values, **options), "mean")


def test_a_difference_of_means_is_welchs() -> None:
    """Nearly: interval and p-value."""
    a, b = RANDOM.normal(1, 1, 80), RANDOM.normal(0.6, 2, 50)
    found, known = effect_of(mean(a), mean(b), "difference", Z), stats.ttest_ind(a, b, equal_var=False)
    interval = known.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.02)
    assert found.p_value == pytest.approx(known.pvalue, rel=0.3)


def test_a_difference_of_pairs_is_that_of_the_paired_test() -> None:
    """What the pairs have in common cancels, and it doesn't where they are not known."""
    base = RANDOM.normal(5, 3, 40)
    a, b, names = base + RANDOM.normal(0.3, 0.5, 40), base, np.arange(40)
    found = effect_of(mean(a, clusters=names), mean(b, clusters=names), "difference", Z)
    interval = stats.ttest_rel(a, b).confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.03)
    assert effect_of(mean(a), mean(b), "difference", Z).low < 0


@pytest.mark.parametrize("effect", ["difference", "ratio"])
@pytest.mark.parametrize("shift", [0.0, 0.2, 0.33, 0.5])
def test_p_value_and_interval_say_the_same(effect: str, shift: float) -> None:
    """Below 0.05 where the interval of 95 % leaves out no difference, whatever the statistic."""
    a, b = RANDOM.exponential(1, 60) + shift, RANDOM.exponential(1, 60)
    for spread in (lambda x: spread_of_quantile(make_sample(x), 0.5), mean):
        found = effect_of(spread(a), spread(b), effect, Z)
        none = 0 if effect == "difference" else 1
        assert (found.p_value < 0.05) == (not found.low <= none <= found.high)
        turned = effect_of(spread(b), spread(a), "difference", Z)
        straight = effect_of(spread(a), spread(b), "difference", Z)
        assert (turned.low, turned.high) == pytest.approx((-straight.high, -straight.low))


def test_a_difference_of_shares_is_newcombes() -> None:
    """Nearly: that of the Wilson intervals."""
    a, b = np.arange(200) < 30, np.arange(150) < 40
    found = effect_of(*(spread_of_ratio(make_sample(x), "share") for x in (a, b)), "difference", Z)
    ends = []
    for x in (a, b):
        known = stats.binomtest(int(x.sum()), len(x)).proportion_ci(method="wilson")
        ends += [(known.low, known.high)]
    (l1, u1), (l2, u2) = ends
    p, q = a.mean(), b.mean()
    known = (p - q - np.hypot(p - l1, u2 - q), p - q + np.hypot(u1 - p, q - l2))
    assert (found.low, found.high) == pytest.approx(known, abs=0.003)


def test_a_ratio_of_means_is_that_of_logarithms_for_many_values() -> None:
    """And its p-value that of the difference."""
    a, b = RANDOM.gamma(9, 1, 2000), RANDOM.gamma(9, 1.02, 2000)
    found = effect_of(mean(a), mean(b), "ratio", Z)
    error = np.sqrt(a.var(ddof=1) / 2000 / a.mean() ** 2 + b.var(ddof=1) / 2000 / b.mean() ** 2)
    known = a.mean() / b.mean() * np.exp([-Z * error, Z * error])
    assert (found.low, found.high) == pytest.approx(known, rel=1e-3)
    assert found.p_value == pytest.approx(effect_of(mean(a), mean(b), "difference", Z).p_value, rel=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "effect", "note"),
    [
        ([2.0] * 5, [1.0, 2.0, 4.5], "difference", "all are 2"),
        ([1.0, 2.0, 4.5], [2.0] * 5, "difference", "in the reference group all are 2"),
        ([], [1.0, 2.5], "difference", "there are no values"),
        ([1.0, 2.5], [-1.0, 1.5], "ratio", "the reference's interval reaches 0"),
        ([-1.0, -2.5], [10.0, 11.5, 10.2], "ratio", "negative"),
    ],
)
def test_where_there_is_no_interval_a_sentence_says_why(a, b, effect, note) -> None:
    """And there is no p-value either."""
    found = effect_of(mean(a), mean(b), effect, Z)
    assert note in str(found.note)
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_equal_pairs_prove_nothing() -> None:
    """A difference of 0 in each of them is no interval from 0 to 0."""
    names, values = np.arange(9), RANDOM.normal(size=9)
    found = effect_of(mean(values, clusters=names), mean(values, clusters=names), "difference", Z)
    assert "all differences within pairs are equal" in str(found.note)


def test_holm_counts_what_was_compared() -> None:
    """In whatever order, and no more than 1."""
    assert holm([0.04, 0.01, float("nan"), 0.9]).tolist() == pytest.approx([0.08, 0.03, float("nan"), 0.9], nan_ok=True)
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []
