"""Means, shares and rates over clusters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats.means import spread_of_ratio
from kataven_notebook.stats.samples import make_sample

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(3)
Z = 1.959964


def limits(statistic, values, **options):
    """Return the ends of the interval of 95 %."""
    return spread_of_ratio(make_sample(values, **options), statistic).limits(Z)[:2]


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
def test_a_share_has_wilsons_interval(share: float) -> None:
    """Also where it is 0 or 1, which is knowledge."""
    values = np.arange(200) < round(200 * share)
    known = stats.binomtest(int(values.sum()), 200).proportion_ci(method="wilson")
    assert limits("share", values) == pytest.approx((known.low, known.high), abs=1e-6)


@pytest.mark.parametrize("statistic", ["mean", "share", "rate"])
def test_rows_that_stand_there_five_times_tell_no_more(statistic: str) -> None:
    """Their clusters say so, but for the degrees of freedom of the variance."""
    values, minutes = RANDOM.integers(0, 2, 60), RANDOM.uniform(60, 600, 60)
    once = np.array(limits(statistic, values, exposure_s=minutes))
    names = np.arange(60)
    five = {"clusters": np.tile(names, 5), "exposure_s": np.tile(minutes, 5)}
    assert np.diff(limits(statistic, np.tile(values, 5), **five)) == pytest.approx(np.diff(once), rel=0.03)
    assert np.diff(limits(statistic, np.tile(values, 5), exposure_s=np.tile(minutes, 5))) < np.diff(once) * 0.6


def test_a_mean_of_symmetrical_values_has_students_interval() -> None:
    """Where nothing is skewed."""
    half = RANDOM.normal(size=15)
    values = np.concatenate([half, -half])
    known = stats.ttest_1samp(values, 0).confidence_interval()
    assert limits("mean", values) == pytest.approx((known.low, known.high), abs=1e-4)


def test_no_events_have_the_limits_of_a_poisson_count() -> None:
    """Per row, per minute, and for clusters as if each were one row."""
    none = stats.chi2.ppf(0.975, 2) / 2
    assert limits("mean", [0] * 50) == pytest.approx((0, none / 50), rel=1e-4)
    assert limits("rate", [0] * 50, exposure_s=[120] * 50) == pytest.approx((0, none / 100), rel=1e-4)
    assert limits("mean", [0] * 50, clusters=np.arange(50) // 5) == pytest.approx((0, none / 10), rel=1e-4)


def test_a_rate_is_events_per_minute() -> None:
    """Of all minutes together, not the mean of the calls' rates."""
    assert spread_of_ratio(make_sample([1, 5], exposure_s=[60, 120]), "rate").value == 2.0


def test_weights_count_values_more() -> None:
    """As if they stood there so often."""
    weighted = spread_of_ratio(make_sample([1.0, 2.0, 4.0], weights=[3, 1, 1]), "mean")
    assert weighted.value == pytest.approx(np.mean([1, 1, 1, 2, 4]))


@pytest.mark.parametrize(
    ("statistic", "values", "note"),
    [
        ("mean", [], "there are no values"),
        ("mean", [3.0], "there is one value"),
        ("mean", [2.5] * 9, "all are 2.5"),
        ("mean", [0.1] * 10, "all are 0.1"),
        ("mean", [2] * 9, "all are 2"),
    ],
)
def test_where_nothing_is_known_of_the_spread_there_is_no_interval(statistic, values, note) -> None:
    """But a sentence."""
    low, high, why = spread_of_ratio(make_sample(values), statistic).limits(Z)
    assert np.isnan([low, high]).all()
    assert note in str(why)


def test_one_cluster_has_no_interval() -> None:
    """However many values it holds."""
    assert "there is one cluster" in str(spread_of_ratio(make_sample([1.0, 2.0], clusters=["a", "a"]), "mean").note)


def test_what_the_statistic_is_not_of_is_refused() -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match="there is a value 2: compare first"):
        spread_of_ratio(make_sample([0, 1, 2]), "share")
    with pytest.raises(ConfigurationError, match="per minute of call"):
        spread_of_ratio(make_sample([0, 1, 2]), "rate")
