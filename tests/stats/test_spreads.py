"""Limits for each degree of confidence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kataven_notebook.stats.spreads import Spread, as_many, jackknifed, skewed, skewness_of_sum, student

pytestmark = pytest.mark.core

Z = np.array([-3.0, -1.0, 0.0, 1.0, 3.0])


def test_students_t_has_the_same_probability() -> None:
    """In both tails, and is normal for many."""
    assert student(Z, 4) == pytest.approx(stats.t.ppf(stats.norm.cdf(Z), 4))
    assert student(Z, 1e9).tolist() == Z.tolist()


def test_limits_of_skewed_means_reach_further_where_the_tail_is() -> None:
    """And are those of Student's t without skewness."""
    assert skewed(5.0, 2.0, 0.0, 9)(Z) == pytest.approx(5 + 2 * student(Z, 9))
    low, middle, high = skewed(5.0, 2.0, 0.4, 9)(np.array([-2.0, 0.0, 2.0]))
    assert high - middle > 1.3 * (middle - low)
    turned = skewed(-5.0, 2.0, -0.4, 9)(np.array([2.0, 0.0, -2.0]))
    assert (-turned).tolist() == pytest.approx([low, middle, high])


def test_the_skewness_of_a_sum_is_that_of_its_parts_over_the_root_of_their_number() -> None:
    """As scipy corrects it for how few they are."""
    pulls = np.random.default_rng(1).exponential(size=12)
    pulls -= pulls.mean()
    assert skewness_of_sum(pulls) == pytest.approx(stats.skew(pulls, bias=False) / np.sqrt(12))
    assert skewness_of_sum(pulls[:2]) == 0


def test_an_interval_without_length_or_end_is_none() -> None:
    """And a sentence says why."""
    assert "all 2:" in str(Spread(2.0, lambda z: z * 0 + 2).limits(1.96)[2])
    assert "too few" in str(Spread(2.0, lambda z: np.where(z > 0, np.inf, 1.0)).limits(1.96)[2])
    assert Spread(2.0, note="why").limits(1.96)[2] == "why"


def test_clusters_pull_by_what_changes_without_them() -> None:
    """As leaving one out after the other says."""
    random = np.random.default_rng(2)
    sums, sizes = random.normal(size=9), random.uniform(1, 5, 9)
    ratio = sums.sum() / sizes.sum()
    without = np.array([np.delete(sums, at).sum() / np.delete(sizes, at).sum() for at in range(9)])
    pulls = jackknifed(sums - ratio * sizes, sizes)
    assert pulls == pytest.approx((ratio - without) * np.sqrt(8 / 9))


def test_unequal_clusters_count_as_fewer() -> None:
    """Equal ones as many as they are."""
    assert as_many(np.full(7, 3.0)) == pytest.approx(7)
    assert 1 < as_many(np.array([100.0, 1, 1, 1])) < 1.1
