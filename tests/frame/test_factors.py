"""Groups of one column and of several, and their references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.factors import find_groups

pytestmark = pytest.mark.core

FRAME = pd.DataFrame(
    {
        "prompt": ["v2", "v1", "v2", None, "v1", "v2"],
        "hour": [9, 9, 10, 9, 9, 11],
    },
    index=[7, 7, 8, 8, 9, 9],
)


def test_rows_of_groups_are_positions_whatever_the_index() -> None:
    """Those without a group belong to none."""
    groups = find_groups(FRAME, ["prompt"])
    assert groups.names["prompt"].tolist() == ["v1", "v2"]
    assert [rows.tolist() for rows in groups.rows] == [[1, 4], [0, 2, 5]]


def test_several_columns_make_the_combinations_that_occur() -> None:
    """In sorting order."""
    groups = find_groups(FRAME, ["prompt", "hour"])
    assert list(groups.names.itertuples(index=False, name=None)) == [("v1", 9), ("v2", 9), ("v2", 10), ("v2", 11)]
    assert [len(rows) for rows in groups.rows] == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (None, [0, 0, 0, 0]),
        (("v2", 10), [2, 2, 2, 2]),
        (["v2", 10], [2, 2, 2, 2]),
        ({"prompt": "v1"}, [0, 0, None, None]),
        ({"hour": 9}, [0, 1, 1, 1]),
        ({"prompt": "v2", "hour": 9}, [1, 1, 1, 1]),
    ],
)
def test_a_reference_is_one_group_or_the_one_beside_each(reference: Any, expected: list[int | None]) -> None:
    """Missing where there is none beside."""
    assert find_groups(FRAME, ["prompt", "hour"]).references(reference) == expected


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (("v1", 23), r"no such group, only \('v1', 9\), \('v2', 9\)"),
        ("v1", "one value for each"),
        (("v1",), "one value for each"),
        ({}, "name the column"),
        ({"promt": "v1"}, r"'promt' is none of the columns of by= \(did you mean 'prompt'\?\)"),
    ],
)
def test_a_reference_that_is_not_there_is_refused(reference: Any, message: str) -> None:
    """With what there is."""
    with pytest.raises(ConfigurationError, match=message):
        find_groups(FRAME, ["prompt", "hour"]).references(reference)


def test_ten_thousand_groups_are_not_all_named() -> None:
    """Twenty are, and how many more there are."""
    groups = find_groups(pd.DataFrame({"by": range(10_000)}), ["by"])
    with pytest.raises(ConfigurationError, match=r"19 and 9,980 more$"):
        groups.references(-1)


def test_categories_without_rows_are_groups() -> None:
    """A version that nobody has called is not lost."""
    column = pd.Categorical(["b", "a", "b"], categories=["b", "none", "a"], ordered=True)
    groups = find_groups(pd.DataFrame({"by": column}), ["by"])
    assert groups.names["by"].tolist() == ["b", "none", "a"]
    assert [rows.tolist() for rows in groups.rows] == [[0, 2], [], [1]]
    assert groups.names["by"].dtype == column.dtype
    # But others are not compared with it, unless it is asked for.
    late = find_groups(pd.DataFrame({"by": column.reorder_categories(["none", "b", "a"])}), ["by"])
    assert late.references(None) == [1, 1, 1]
    assert late.references("none") == [0, 0, 0]


def test_lists_are_no_groups() -> None:
    """And a sentence says so."""
    with pytest.raises(FrameError, match="such as lists"):
        find_groups(pd.DataFrame({"by": [[1], [2]]}), ["by"])


@pytest.mark.parametrize("by", [["by"], ["by", "other"]])
def test_a_frame_without_rows_has_no_groups(by: list[str]) -> None:
    """And keeps the dtypes."""
    frame = pd.DataFrame({"by": np.array([], dtype=np.int64), "other": pd.array([], dtype="string")})
    groups = find_groups(frame, by)
    assert groups.rows == []
    assert groups.names.dtypes.tolist() == frame[by].dtypes.tolist()


def test_names_of_any_kind_name_columns() -> None:
    """A number or a tuple too."""
    frame = pd.DataFrame([["a", "x"], ["b", "y"]], columns=pd.Index([0, ("p", "q")], tupleize_cols=False))
    assert list(find_groups(frame, [0, ("p", "q")]).names.columns) == [0, ("p", "q")]
