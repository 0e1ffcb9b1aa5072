"""The bootstrap of functions."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats.means import spread_of_ratio
from kataven_notebook.stats.resampling import spread_of_effect, spread_of_function
from kataven_notebook.stats.samples import make_sample

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(5)
Z = 1.959964


@pytest.mark.parametrize("clusters", [None, np.arange(200) // 4])
def test_the_mean_as_a_function_is_as_sure_as_the_mean(clusters) -> None:
    """With clusters and without."""
    values = RANDOM.normal(size=200) + np.repeat(RANDOM.normal(size=50), 4)
    sample = make_sample(values, clusters=clusters)
    found = spread_of_function(sample, np.mean, resamples=1000, seed=0).limits(Z)[:2]
    known = spread_of_ratio(sample, "mean").limits(Z)[:2]
    assert np.diff(found) == pytest.approx(np.diff(known), rel=0.1)


def test_the_seed_decides() -> None:
    """The same one draws the same."""
    sample = make_sample(RANDOM.normal(size=30))
    one, same, other = (spread_of_function(sample, np.std, resamples=99, seed=seed).limits(Z) for seed in (1, 1, 2))
    assert one == same != other


def test_what_clusters_have_in_common_cancels() -> None:
    """Each is drawn with its values in both samples."""
    before = RANDOM.normal(size=40)
    both = [make_sample(each, clusters=np.arange(40)) for each in (before + 0.1 * RANDOM.normal(size=40), before)]
    low, high, _ = spread_of_effect((both[0], both[1]), np.mean, "difference", resamples=500, seed=0).limits(Z)
    assert high - low < 0.2


def test_a_function_that_returns_no_number_is_refused() -> None:
    """By its name."""
    sample = make_sample([1.0, 2.0, 3.0])
    with pytest.raises(ConfigurationError, match="statistic=cumsum returns ndarray"):
        spread_of_function(sample, np.cumsum, resamples=9, seed=0)
    with pytest.raises(ConfigurationError, match="knows nothing of weights"):
        spread_of_function(make_sample([1.0, 2.0], weights=[1, 2]), np.mean, resamples=9, seed=0)


@pytest.mark.parametrize(("values", "note"), [([], "no values"), ([1.0], "one value"), ([1.0, 1.0], "returns nan")])
def test_where_there_is_no_interval_a_sentence_says_why(values, note) -> None:
    """And nothing is drawn."""

    def ratio(array):
        return float("nan") if np.ptp(array) == 0 else 1.0

    assert note in str(spread_of_function(make_sample(values), ratio, resamples=9, seed=0).note)
