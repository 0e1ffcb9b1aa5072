"""What functions return survives being kept, and bytes from anywhere run nothing."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.frame.kept_values import from_bytes, to_bytes

pytestmark = pytest.mark.core

UTC = dt.UTC

TABLE = pd.DataFrame(
    {
        "number": [1, 2],
        "text": ["a", None],
        "count": pd.array([1, None], "Int64"),
        "at": pd.to_datetime(["2026-01-31", "2026-08-01"], utc=True).tz_convert("Europe/Berlin"),
        "kind": pd.Categorical(["u", "v"], ["v", "u"], ordered=True),
        "share": [0.5, np.nan],
        "took": pd.to_timedelta([1, 2], "s"),
        "said": pd.array(["q", None], "string"),
        "lists": [[1, 2], {"k": (3,)}],
        "objects": pd.Series(["a", "b"], dtype=object),
    }
)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**70,
        -0.5,
        "half a character \ud800, and a $",
        b"\x00\xff",
        [1, [2, {"$": "tag", 3: None}]],
        (1, (2, [3])),
        np.float32(2.5),
        np.bool_(True),
        np.datetime64("2026-01-31"),
        pd.Timestamp("2026-01-31 10:00", tz="Europe/Berlin"),
        pd.Timedelta("1 days 00:00:00.000000123"),
        dt.datetime(2026, 1, 31, 10, tzinfo=UTC),
        dt.date(2026, 1, 31),
        dt.time(10, 30),
        dt.timedelta(days=-1, microseconds=1),
        decimal.Decimal("1.10"),
        1 + 2j,
        np.str_("a word"),
        np.bytes_(b"a word"),
    ],
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    """Of the same type."""
    again = from_bytes(to_bytes(value))
    assert again == value
    assert type(again) is type(value)


def test_missing_values_and_arrays_come_back() -> None:
    """Which are not equal to themselves, or not as one."""
    assert from_bytes(to_bytes(pd.NA)) is pd.NA
    assert from_bytes(to_bytes(pd.NaT)) is pd.NaT
    assert np.isnan(from_bytes(to_bytes(float("nan"))))
    for array in (
        np.arange(6, dtype=">i2").reshape(2, 3).T,
        np.array([1, "a", None], dtype=object),
        np.zeros((0, 2)),
        np.array(["a", "words"]),
    ):
        again = from_bytes(to_bytes(array))
        np.testing.assert_array_equal(again, array)
        assert again.dtype == array.dtype
    again[...] = 1  # an array of its own, which may be changed


def test_a_frame_comes_back() -> None:
    """With its dtypes and attrs, and without rows or columns too."""
    TABLE.attrs["model"] = {"name": "large", "beam": 5}
    for table in (TABLE, TABLE.iloc[:0], pd.DataFrame({1: [2]})):
        again = from_bytes(to_bytes(table))
        pd.testing.assert_frame_equal(again, table, check_index_type=False)
        assert again.attrs == table.attrs
    assert from_bytes(to_bytes(pd.DataFrame(index=range(3)))).shape == (3, 0)


class Odd:
    """Something of the user's own."""


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Odd(), "Odd"),
        ([{"a": Odd()}], "Odd"),
        ({1, 2}, "a set"),
        (lambda: 1, "function"),
        (dt.datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), "UTC"),
        (TABLE.set_index("number"), "reset_index"),
        (np.zeros(2, [("a", "f8")]), "ndarray"),
        (pd.Series([1]), "Series"),
        (np.ma.masked_array([1, 2], [True, False]), "MaskedArray"),
        ([10**5_000], "digits"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(value: object, named: str) -> None:
    """Never turned into something else."""
    with pytest.raises(TypeError, match=named):
        to_bytes(value)


def test_values_within_themselves_are_refused() -> None:
    """Not by running out of stack."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(TypeError, match="deep"):
        to_bytes(endless)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        pickle.dumps({"a": 1}),
        b'{"$":"nothing"}',
        b'{"$":"array","dtype":"O","shape":[1],"value":"AAAAAAAAAAA="}',
        b'{"$":"array","dtype":"<f8","shape":[9],"value":"AAAA"}',
        b'{"$":"frame","columns":[["a",{"dtype":"nonsense","values":[]}]]}',
        b'{"$":"Decimal","value":"ten"}',
        b'{"$":"dict","items":[[[],1]]}',
    ],
)
def test_bytes_that_are_something_else_are_refused(data: bytes) -> None:
    """By one kind of error."""
    with pytest.raises(ValueError):
        from_bytes(data)
