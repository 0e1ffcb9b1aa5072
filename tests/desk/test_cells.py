"""Numbers of a column stand with their points under each other."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.desk.cells import decimals_of, length_text, number_text

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([2.5, 1.0, np.nan, 10.0], ["2.5", "1.0", "", "10.0"]),
        ([0.123456, 0.5], ["0.1235", "0.5000"]),
        ([14998.5, 2.25], ["14998.5", "2.2"]),
        ([1.0, np.nan], ["1", ""]),
        ([0.0, 1e-7], ["0.0000", "1e-07"]),
        ([math.inf, 2.5], ["inf", "2.5"]),
        ([1e12, 1.0], ["1e+12", "1"]),
    ],
)
def test_all_numbers_of_a_column_have_the_same_decimals(values: list[float], texts: list[str]) -> None:
    """As few as are exact; what is too small or too large for that keeps its power of ten."""
    decimals = decimals_of(pd.Series(values))
    assert decimals is not None
    shown = [number_text(each, decimals) for each in values]
    assert [each.replace("1000000000000", "1e+12") for each in shown] == texts


@pytest.mark.parametrize("values", [["2.5", "x"], [True, False], [1 + 2j], [None, "a"]])
def test_a_column_of_something_else_has_no_decimals(values: list[object]) -> None:
    """Texts, truth values and complex numbers stand as they are."""
    assert decimals_of(pd.Series(values)) is None


def test_whole_numbers_that_may_be_missing_have_none() -> None:
    """Pandas' own integers, with a gap; and a column without any number."""
    assert decimals_of(pd.Series([1, None], dtype="Int64")) == 0
    assert decimals_of(pd.Series([np.nan, np.nan])) == 0


def test_a_length_is_minutes_and_seconds() -> None:
    """What is no number stands as it is."""
    assert [length_text(each) for each in (95.2, math.nan, None, "long")] == ["1:35", "", "", "long"]
