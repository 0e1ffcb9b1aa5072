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
    """What the pairs have in common cancels, and it doesn't where they are not known; also where values are skewed."""
    base = RANDOM.exponential(3, 40)
    a, b, names = base + RANDOM.exponential(0.5, 40), base, np.arange(40)
    found, known = effect_of(mean(a, clusters=names), mean(b, clusters=names), "difference", Z), stats.ttest_rel(a, b)
    interval = known.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)
    assert found.p_value == pytest.approx(known.pvalue, rel=0.05)
    assert effect_of(mean(a), mean(b), "difference", Z).low < 0


def test_a_ratio_of_pairs_ends_where_the_paired_test_does() -> None:
    """Fieller's limits: of so many times the reference the values are just not told apart."""
    base = RANDOM.exponential(3, 12) + 1
    a, b, names = base + RANDOM.exponential(0.5, 12), base, np.arange(12)
    found = effect_of(mean(a, clusters=names), mean(b, clusters=names), "ratio", Z)
    for end in (found.low, found.high):
        assert stats.ttest_rel(a, end * b).pvalue == pytest.approx(0.05, rel=1e-4)


def test_one_cluster_in_both_samples_lends_a_small_one_no_certainty() -> None:
    """The five values of one are five, though the other's are 200."""
    a, b = RANDOM.normal(0, 1, 5), RANDOM.normal(0, 1, 200)
    found = effect_of(mean(a, clusters=np.arange(5)), mean(b, clusters=np.arange(4, 204)), "difference", Z)
    known = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert found.high - found.low == pytest.approx(known.high - known.low, rel=0.1)


def test_pairs_of_unequal_size_count_as_fewer() -> None:
    """One caller with half of all calls: the limits of a few pairs."""
    sizes = np.r_[40, np.full(40, 1)]
    names = np.repeat(np.arange(41), sizes)
    a, b = RANDOM.normal(size=(2, 80))
    found = effect_of(mean(a, clusters=names), mean(b, clusters=names), "difference", Z)
    pulls = np.bincount(names, weights=a - b - (a - b).mean())
    error = np.sqrt((np.r_[pulls[0] * 2, pulls[1:] / (1 - 1 / 80)] ** 2).sum() * 40 / 41) / 80
    few = 80**2 / (sizes @ sizes)
    assert (found.high - found.low) / 2 == pytest.approx(stats.t.ppf(0.975, few - 1) * error, rel=1e-6)


def test_p_value_and_interval_of_shares_in_common_clusters_say_the_same() -> None:
    """Limits that end at 0 and 1 don't cancel each other, whatever the sizes of clusters."""
    for _ in range(40):
        names = [np.repeat(np.arange(5), RANDOM.integers(1, 30, 5)) for _ in range(2)]
        chance = np.clip(RANDOM.beta(0.5, 1, 5), 0.01, 0.99)
        parts = [make_sample(RANDOM.random(len(each)) < chance[each], clusters=each) for each in names]
        found = effect_of(*(spread_of_ratio(each, "share") for each in parts), "difference", Z)
        if np.isfinite(found.low):
            assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)


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
