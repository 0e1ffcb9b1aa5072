"""Estimates with their intervals, and what is picked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats.estimates import difference, estimate, picked

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(8)


@pytest.mark.parametrize(
    ("values", "statistic"),
    [
        ([True, False], "share"),
        (pd.array([True, None], dtype="boolean"), "share"),
        (pd.Series([True, None, False], dtype=object), "share"),
        ([0, 1, 1], "mean"),
        ([0.0, 3.0, np.nan], "mean"),
        (pd.array([1, None], dtype="Int64"), "mean"),
        ([-1, 3], "median"),
        ([0.5, 1.0], "median"),
        ([], "median"),
        ([None, np.nan], "median"),
    ],
)
def test_auto_picks_by_what_the_values_are(values: Any, statistic: str) -> None:
    """And the estimate says what was picked."""
    assert picked(values) == statistic
    assert estimate(values).statistic == statistic


def test_an_estimate_says_what_it_rests_on() -> None:
    """Values, missing ones, clusters."""
    found = estimate([1.5, 2.5, None, 4.5], "mean", clusters=["a", "a", "b", "b"])
    assert (found.n, found.missing, found.clusters, found.statistic) == (3, 1, 2, "mean")
    assert found.low < found.value < found.high
    assert found.note is None


@pytest.mark.parametrize("statistic", ["median", "mean", "p25", "p97.5", np.std])
def test_the_interval_narrows_with_the_confidence_level(statistic: Any) -> None:
    """Around the estimate."""
    values = RANDOM.lognormal(0, 0.5, 400)
    wide = estimate(values, statistic, confidence_level=0.99, resamples=400)
    narrow = estimate(values, statistic, confidence_level=0.5, resamples=400)
    assert wide.low < narrow.low < wide.value < narrow.high < wide.high


def test_a_difference_of_counts_is_found_where_medians_are_both_0() -> None:
    """0.3 and 0.6 interruptions a call."""
    a, b = RANDOM.poisson(0.3, 200), RANDOM.poisson(0.6, 200)
    found = difference(a, b)
    assert (found.statistic, found.n, found.clusters) == ("mean", 400, 400)
    assert found.high < 0
    assert found.p_value < 0.01
    assert np.isnan(difference(a, b, "median").low)


def test_no_events_beside_clumps_of_them_prove_little() -> None:
    """One sample says how many events come together in the other."""
    clumps, none = [0] * 9 + [5, 4, 6], [0] * 12
    for found in (difference(clumps, none), difference(none, clumps)):
        assert found.p_value > 0.1
        assert found.low < 0 < found.high


def test_zeros_beside_fractions_are_no_counts() -> None:
    """Seconds of overlap, all 0, say nothing of how long others would be."""
    found = difference([0.0] * 9, [0.5, 1.25, 0.0, 2.0], "mean")
    assert "all are 0" in str(found.note)


@pytest.mark.parametrize("statistic", ["mean", "median", np.mean])
def test_clusters_of_one_name_are_pairs(statistic: Any) -> None:
    """Counted once."""
    base, names = RANDOM.normal(5, 3, 60), [f"s{n}" for n in range(60)]
    after = base + RANDOM.normal(1, 0.2, 60)
    found = difference(after, base, statistic, clusters=names, other_clusters=names, resamples=300)
    alone = difference(after, base, statistic, resamples=300)
    assert found.clusters == 60
    assert found.high - found.low < 0.6 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistic": "mode"}, "pass 'auto', 'median', 'mean', 'share', 'rate', a quantile such as 'p90'"),
        ({"statistic": "p100"}, "a quantile such as 'p90'"),
        ({"statistic": "p0"}, "a quantile such as 'p90'"),
        ({"statistic": None}, "statistic=None"),
        ({"statistic": ["mean"]}, "statistic="),
        ({"confidence_level": 95}, "between 0 and 1"),
        ({"confidence_level": True}, "between 0 and 1"),
        ({"resamples": 1}, "resamples=1: pass a whole number from 2"),
        ({"seed": None}, "seed=None: pass a whole number"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    """And the message says what is possible."""
    with pytest.raises(ConfigurationError, match=message):
        estimate([1.0, 2.0], **options)


def test_an_effect_that_is_none_is_refused() -> None:
    """There are two."""
    with pytest.raises(ConfigurationError, match="'difference' or 'ratio'"):
        difference([1.0, 2.0], [1.0, 2.0], effect="odds")
