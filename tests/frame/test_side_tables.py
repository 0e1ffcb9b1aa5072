"""The tables beside the calls: what is read of them, and which row is named where nothing can be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.side_tables import channels_of, checked_table, grouped, numbers_of

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "column",
    [
        ["1.5", "2"],
        [Decimal("1.5"), Decimal(2)],
        [dt.timedelta(seconds=1.5), dt.timedelta(seconds=2)],
        pd.Categorical(["1.5", "2"]),
        pd.array([1.5, 2], dtype="Float64"),
        np.array([1.5, 2], dtype="float32"),
    ],
)
def test_seconds_are_read_in_whatever_form(column: object) -> None:
    """As text, lengths of time, categories and numbers of any kind."""
    assert numbers_of(pd.Series(column), "words").tolist() == [1.5, 2.0]


def test_what_is_no_number_is_named_by_its_row() -> None:
    """The first of them, by the label of its row; a secret in it is not shown."""
    column = pd.Series([1.0, "sk_live_abcdefgh"], index=["x", "y"], name="start_s")
    with pytest.raises(FrameError, match=r"marks= has 'sk_live_\[redacted\]' in 'start_s', row 'y', that is no number"):
        numbers_of(column, "marks")
    with pytest.raises(FrameError, match="counted from 0"):
        channels_of(pd.Series(["agent"], name="channel"), "marks")


def test_a_table_is_never_the_callers_and_an_end_before_the_start_is_told() -> None:
    """What changes later in the caller's frame changes nothing here."""
    table = pd.DataFrame({"call": ["a", "a"], "start_s": [2.0, 1.0], "end_s": [1.0, np.inf], "label": "x"})
    with pytest.warns(UserWarning, match=r"marks= has an end_s of 1 before its start_s of 2 in row 0: "):
        checked = checked_table(table, "call", "marks", ("start_s", "end_s", "label"))
    assert checked["end_s"].isna().all()
    rows = grouped(table.iloc[1:], "call", "marks", ("start_s", "end_s", "label"))
    table.loc[1, "label"] = "changed"
    assert [row["label"] for row in rows("a")] == ["x"]
    assert rows("b") == []
