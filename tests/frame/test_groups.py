"""Groups, their medians and honest intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.groups import compare, compare_groups

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(7)


def test_medians_and_differences_are_those_of_the_values() -> None:
    """Against the first group, or the one that is named."""
    groups = {"v1": [1.0, 2.0, 3.0], "v2": [4.0, 5.0, 9.0]}
    first, second = compare(groups)
    assert (first.n, first.median, second.median, second.difference) == (3, 2.0, 5.0, 3.0)
    assert np.isnan(first.difference)
    turned, _ = compare(groups, reference="v2")
    assert turned.difference == -3.0


def test_a_true_difference_is_found_and_a_missing_one_is_not() -> None:
    """The interval leaves 0 out where groups differ, and holds it where they don't."""
    base = RANDOM.normal(1.0, 0.2, 200)
    same, faster = base + RANDOM.normal(0, 0.001, 200), RANDOM.normal(0.8, 0.2, 200)
    _, still, less = compare({"v1": base, "same": same, "faster": faster})
    assert still.difference_low < 0 < still.difference_high
    assert less.difference_low < less.difference < less.difference_high < 0


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 100 samples with known median, about 90 intervals of 90 % hold it."""
    held = 0
    for _ in range(100):
        (found,) = compare({"a": RANDOM.exponential(1.0, 40)}, confidence_level=0.9, resamples=400)
        held += found.median_low <= np.log(2) <= found.median_high
    assert 80 <= held <= 98


def test_the_same_seed_gives_the_same_intervals() -> None:
    """Another seed gives others, and other groups don't matter."""
    values = RANDOM.normal(size=50)
    alone, beside = compare({"a": values})[0], compare({"a": values, "b": values * 2})[0]
    assert (alone.median_low, alone.median_high) == (beside.median_low, beside.median_high)
    assert compare({"a": values}, seed=1)[0].median_low != alone.median_low


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 3.0],
        [1.0, np.nan, 3.0],
        [1.0, np.inf, 3.0],
        pd.array([1, None, 3], dtype="Int64"),
        pd.Series([1, pd.NA, 3]),
    ],
    ids=["None", "NaN", "infinite", "Int64", "NA"],
)
def test_missing_values_are_left_out_and_counted(values: object) -> None:
    """In whatever form they come."""
    (found,) = compare({"a": values})  # type: ignore[dict-item] # arrays of all kinds
    assert (found.n, found.missing, found.median) == (2, 1, 2.0)


def test_tiny_groups_have_no_intervals() -> None:
    """One value has a median and a difference; none has nothing; no warnings either way."""
    full, one, none = compare({"full": [1.0, 2.0, 3.0], "one": [5.0], "none": [np.nan]})
    assert full.median_low < full.median_high
    assert (one.median, one.difference) == (5.0, 3.0)
    assert np.isnan([one.median_low, one.median_high, one.difference_low, one.difference_high]).all()
    assert (none.n, none.missing) == (0, 1)
    assert np.isnan([none.median, none.difference, none.median_low]).all()


def test_equal_values_have_an_interval_without_length() -> None:
    """A constant is known exactly."""
    (found,) = compare({"a": [2.0] * 9})
    assert (found.median_low, found.median, found.median_high) == (2.0, 2.0, 2.0)


def test_no_groups_give_no_rows() -> None:
    """An empty frame compares to nothing."""
    assert compare({}) == []


def test_whole_numbers_of_any_kind_are_counts() -> None:
    """As what an array or a cell holds."""
    groups = {"a": [1.0, 2.0, 4.0]}
    counted = compare(groups, resamples=50.0, seed=np.int64(3))  # type: ignore[arg-type]  # what is tested
    # As text: a number that is missing differs from itself.
    assert repr(counted) == repr(compare(groups, resamples=50, seed=3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "v9"}, "no such group, only 'v1'"),
        ({"confidence_level": 95}, "between 0 and 1"),
        ({"confidence_level": "95"}, "between 0 and 1"),
        ({"resamples": 1}, "resamples=1: pass a whole number from 2"),
        ({"resamples": 99.5}, "whole number"),
        ({"seed": None}, "seed=None: pass a whole number"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    """And the message says what is possible."""
    with pytest.raises(ConfigurationError, match=message):
        compare({"v1": [1.0, 2.0]}, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "n"}, "the result has a column 'n' of its own"),
        ({"by": "median"}, "the result has a column 'median' of its own"),
        ({"by": ["n", "median"]}, "pass the name of one column"),
        ({"by": "m"}, "both 'm'"),
        ({"by": "twice"}, "there are 2 columns named 'twice'"),
        ({"by": "version"}, "there is no column 'version'"),
        ({"by": "n", "metric": "twice"}, "there are 2 columns"),
        ({"by": "m", "metric": "text"}, "not numbers; pd.to_numeric"),
    ],
)
def test_columns_that_cannot_be_compared_are_refused(options: dict[str, Any], message: str) -> None:
    """Groups that lose their names under the result's columns would be numbers of nobody."""
    values = [["a", "b", 1.0, "x", 1, 2], ["b", "c", 2.0, "y", 3, 4]]
    frame = pd.DataFrame(values, columns=["n", "median", "m", "text", "twice", "twice"])
    with pytest.raises(FrameError, match=message):
        compare_groups(frame, **{"metric": "m", **options})


@pytest.mark.parametrize("frame", [None, [1.0], "calls.csv"])
def test_what_is_no_frame_is_refused(frame: object) -> None:
    """And not by the first attribute that it lacks."""
    with pytest.raises(FrameError, match="a DataFrame with the metric is needed"):
        compare_groups(frame, by="version", metric="m")  # type: ignore[arg-type] # the mistake


@pytest.mark.parametrize(
    "groups",
    [
        pd.Categorical(["v10", "v2", "v10", "v2"], categories=["v2", "v10", "v11"], ordered=True),
        pd.array(["v10", "v2", "v10", "v2"], dtype="string"),
        pd.array([1, 2, 1, 2], dtype="Int64"),
        pd.to_datetime(["2026-01-01", "2026-01-02"] * 2, utc=True),
    ],
    ids=["categorical", "string", "Int64", "times"],
)
def test_groups_keep_their_dtype_and_order(groups: Any) -> None:
    """So that the table merges with the frame, and v2 comes before v10 where the caller says so."""
    frame = pd.DataFrame({"version": groups, "m": [1.0, 2.0, 3.0, 4.0]})
    found = compare_groups(frame, by="version", metric="m")
    assert found["version"].dtype == frame["version"].dtype
    assert found["version"].is_monotonic_increasing
    assert len(found.merge(frame, on="version")) == 4


def test_half_a_character_in_a_name_costs_no_table() -> None:
    """It is spelled out."""
    names = pd.Series(["x\udce9", "y"] * 3, dtype=object)
    found = compare_groups(pd.DataFrame({"by": names, "metric": range(6)}), by="by", metric="metric")
    assert found["by"].tolist() == ["x\\udce9", "y"]
