"""Groups, their medians and honest intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.comparison import compare
from kataven_notebook.errors import ConfigurationError

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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "v9"}, "no such group, only 'v1'"),
        ({"confidence_level": 95}, "between 0 and 1"),
        ({"resamples": 0}, "at least 1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict, message: str) -> None:
    """And the message says what is possible."""
    with pytest.raises(ConfigurationError, match=message):
        compare({"v1": [1.0, 2.0]}, **options)
