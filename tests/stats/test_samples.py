"""Values that are numbers, and their clusters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats.samples import make_sample

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 3.0],
        [1.0, np.nan, 3.0],
        [1.0, np.inf, 3.0],
        [1.0, -np.inf, 3.0],
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1, None, 3], dtype="Float64"),
        pd.Series([1, pd.NA, 3]),
        [Decimal(1), pd.NaT, 3],
    ],
    ids=["None", "NaN", "infinite", "negative infinite", "Int64", "Float64", "NA", "objects"],
)
def test_missing_values_are_left_out_and_counted(values: Any) -> None:
    """In whatever form they come."""
    sample = make_sample(values)
    assert (sample.summed(sample.values).tolist(), sample.missing) == ([1.0, 3.0], 1)


@pytest.mark.parametrize(
    "values", [["1", "2"], [1.0, "x"], pd.to_timedelta([1, 2], unit="s"), [np.timedelta64(3, "s")]]
)
def test_what_is_no_number_is_refused(values: Any) -> None:
    """Text that reads as one too."""
    with pytest.raises(ConfigurationError, match="is no number: pass numbers"):
        make_sample(values)


@pytest.mark.parametrize(
    "clusters",
    [
        ["a", "b", "a", None, None],
        np.array(["a", "b", "a", np.nan, np.nan], dtype=object),
        pd.array(["a", "b", "a", None, None], dtype="string"),
        np.array([7, 3, 7, -1, -1]),
        [7.0, 3.0, 7.0, np.nan, np.nan],
    ],
    ids=["texts", "objects", "string", "codes", "floats"],
)
def test_a_value_without_a_cluster_is_its_own(clusters: Any) -> None:
    """Two that have none have nothing in common."""
    sample = make_sample([1.0, 2.0, 3.0, 4.0, 5.0], clusters=clusters)
    assert sample.clusters == 4
    assert sorted(sample.summed(sample.values).tolist()) == [2.0, 4.0, 4.0, 5.0]


def test_clusters_follow_the_values_that_are_kept() -> None:
    """A cluster whose values are all missing is none."""
    sample = make_sample([1.0, None, 3.0, None], clusters=["a", "a", "b", "c"])
    assert (sample.clusters, sample.labels, sample.is_clustered) == (2, ["a", "b"], False)


def test_weights_and_exposure_that_say_nothing_cost_the_value() -> None:
    """And it is counted as missing."""
    assert make_sample([1, 2, 3], weights=[1, None, 0]).missing == 1
    assert make_sample([1, 2, 3], exposure_s=[60, 0, np.nan]).missing == 2


@pytest.mark.parametrize("option", ["clusters", "weights", "exposure_s"])
def test_there_is_one_for_each_value(option: str) -> None:
    """Others can't be put to values."""
    with pytest.raises(ConfigurationError, match=rf"{option}= has 2 entries for 3 values"):
        make_sample([1, 2, 3], **{option: [1, 2]})
