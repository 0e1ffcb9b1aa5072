"""Medians and other quantiles."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import special

from kataven_notebook.stats.quantiles import spread_of_quantile
from kataven_notebook.stats.samples import make_sample

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(4)
Z = 1.959964


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_limits_are_where_resampling_ends(probability: float) -> None:
    """Within what is left to chance of 4,000 resamples."""
    values = RANDOM.lognormal(0, 0.6, 301)
    low, high, _ = spread_of_quantile(make_sample(values), probability).limits(Z)
    drawn = np.quantile(values[RANDOM.integers(0, 301, (4000, 301))], probability, axis=1)
    ordered = np.sort(values)
    places = [np.searchsorted(ordered, each) for each in (low, high)]
    expected = [np.searchsorted(ordered, each) for each in np.quantile(drawn, [0.025, 0.975])]
    assert np.abs(np.subtract(places, expected)).max() <= 3


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0], [4.0, 1.0, 2.0, 3.0]])
def test_the_estimate_is_the_usual_one(values: list[float]) -> None:
    """As numpy has it."""
    assert spread_of_quantile(make_sample(values), 0.5).value == np.median(values)
    assert spread_of_quantile(make_sample(values), 0.9).value == pytest.approx(np.quantile(values, 0.9))


def test_rows_that_stand_there_five_times_tell_no_more() -> None:
    """Their clusters say so."""
    values = RANDOM.normal(size=80)
    once = spread_of_quantile(make_sample(values), 0.5).limits(Z)[:2]
    clustered = make_sample(np.tile(values, 5), clusters=np.tile(np.arange(80), 5))
    again = spread_of_quantile(clustered, 0.5).limits(Z)[:2]
    assert np.diff(again) == pytest.approx(np.diff(once), rel=0.15)
    independent = spread_of_quantile(make_sample(np.tile(values, 5)), 0.5).limits(Z)[:2]
    assert np.diff(independent) < 0.7 * np.diff(once)


@pytest.mark.parametrize("count", [6, 40])
def test_clusters_of_one_value_each_are_rows(count: int) -> None:
    """Six of them are enough for a median, named or not."""
    values = RANDOM.lognormal(0, 0.6, count)
    named = spread_of_quantile(make_sample(values, clusters=np.arange(count)), 0.5).limits(Z)
    assert named == spread_of_quantile(make_sample(values), 0.5).limits(Z)
    assert np.isfinite(named[:2]).all()


def test_weights_count_values_more() -> None:
    """The median of most weight."""
    assert spread_of_quantile(make_sample([1.0, 2.0, 9.0], weights=[1, 1, 20]), 0.5).value == pytest.approx(9, abs=1)


@pytest.mark.parametrize(
    ("values", "probability", "note"),
    [
        ([], 0.5, "no values"),
        ([1.0], 0.5, "one value"),
        ([1.0, 2.0, 3.0], 0.5, "too few values"),
        (np.arange(20.0), 0.9, "too few values"),
        ([0] * 60 + [1] * 3, 0.5, "all 0"),
        ([2.0] * 9, 0.5, "all are 2"),
    ],
)
def test_where_the_values_cannot_say_there_is_no_interval(values, probability, note) -> None:
    """A median of 0 between 0 and 0 would read as a proof."""
    low, high, why = spread_of_quantile(make_sample(values), probability).limits(Z)
    assert np.isnan([low, high]).all()
    assert note in str(why)


def test_a_hundred_thousand_values_take_no_resampling() -> None:
    """A second is what a hundred resamples of them would take."""
    sample = make_sample(RANDOM.normal(size=100_000))
    started = time.process_time()
    low, high, _ = spread_of_quantile(sample, 0.5).limits(Z)
    assert time.process_time() - started < 1
    assert high - low == pytest.approx(2 * Z * np.sqrt(np.pi / 2) / np.sqrt(100_000), rel=0.1)


def test_the_share_below_the_limits_is_that_of_a_beta() -> None:
    """Of values in equal steps, whose place is their size."""
    values = np.arange(1, 100) / 100
    low, high, _ = spread_of_quantile(make_sample(values), 0.3).limits(Z)
    assert [low, high] == pytest.approx(special.betaincinv(30, 70, [0.025, 0.975]), abs=1e-5)


def test_few_clusters_of_values_that_are_alike_give_no_interval_by_chance() -> None:
    """Those whose variance is found too small would be the only ones shown, and mostly wrong."""
    random = np.random.default_rng(5)
    codes = np.repeat(np.arange(16), 10)
    shown = 0
    for _ in range(100):
        values = (random.normal(size=(16, 1)) + 0.3 * random.normal(size=(16, 10))).ravel()
        low, high, note = spread_of_quantile(make_sample(values, clusters=codes), 0.9).limits(Z)
        shown += bool(np.isfinite([low, high]).all())
        assert note is None or "too few" in note
    assert shown == 0
