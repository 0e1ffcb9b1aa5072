"""Groups of rows, whatever a column holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.study.units import find_groups, find_units

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "values",
    [
        ["b", "a", None, "b"],
        pd.Categorical(["b", "a", None, "b"], ["a", "b", "c"]),
        [2.5, 1.0, np.nan, 2.5],
        pd.array([2, 1, None, 2], dtype="Int64"),
        pd.array([True, False, None, True], dtype="boolean"),
        pd.to_datetime(["2026-02-01", "2026-01-01", None, "2026-02-01"]),
        ["x", 1, None, "x"],
    ],
)
def test_groups_are_in_sorting_order(values) -> None:
    """Missing ones are a group, or none."""
    table = pd.DataFrame({"by": values}, index=[7, 7, 8, 8])
    left = find_groups(table, "by", keep_missing=False)
    assert left.codes.tolist() == [1, 0, -1, 1]
    assert left.keys["by"].dtype == table["by"].dtype
    kept = find_groups(table, ["by"], keep_missing=True)
    assert kept.codes.tolist() == [1, 0, 2, 1]


def test_two_columns_make_pairs() -> None:
    """Told apart also where their texts run together."""
    table = pd.DataFrame({"a": ["x", "xy", "x"], "b": ["yz", "z", "yz"]})
    assert find_groups(table, ["a", "b"], keep_missing=False).codes.tolist() == [0, 1, 0]


def test_no_column_makes_one_group() -> None:
    """Of all rows."""
    assert find_groups(pd.DataFrame({"a": [1, 2]}), None, keep_missing=True).codes.tolist() == [0, 0]


def test_a_frame_with_several_levels_of_columns_is_refused() -> None:
    """With what to do."""
    with pytest.raises(FrameError, match="MultiIndex"):
        find_units(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "session_id", "calls")
