"""What functions return survives being kept, and bytes from anywhere run nothing."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from zoneinfo import ZoneInfo

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
from frames import calls, tones

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.frame.kept_values import from_bytes, to_bytes

pytestmark = pytest.mark.core

SETTINGS = kn.Settings(api_key="sk_test_of_nobody")
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
        (pd.Timestamp("2026-01-31", tz=dateutil.tz.gettz("Europe/Berlin")), "tz_convert"),
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


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> str:
    """A store in either kind of place."""
    return str(tmp_path / "calls") if request.param == "folder" else (tmp_path / "calls").as_uri()


@pytest.fixture
def stored(place) -> pd.DataFrame:
    """Four calls whose sound lies in the store."""
    encoded = tones((440, 0.0, 1.0), (880, 2.0, 3.0)).encoded()
    sounds = [kn.Recording.from_bytes(encoded, session_id=name) for name in "abcd"]
    return kn.audio(calls(*"abcd", audio=sounds), store=place, settings=SETTINGS, progress=False)


def apply(frame: pd.DataFrame, fn, **options) -> pd.DataFrame:
    """Apply without a bar."""
    return kn.apply(frame, fn, settings=SETTINGS, progress=False, **options)


@pytest.mark.parametrize("result", ["columns", "table", "object"])
def test_what_is_kept_is_not_made_again(stored, place, result) -> None:
    """Not in a frame without sound either; without a name nothing is kept."""
    called: list[str] = []

    def read(recording):
        called.append(recording.session_id)
        if result == "table":
            return pd.DataFrame({"word": ["one", "two"], "at_s": [0.5, np.nan]})
        return {"words": 2, "text": "one two", "at": pd.Timestamp("2026-01-31", tz="UTC")}

    first = apply(stored, read, result=result, keep="words-1")
    assert sorted(called) == list("abcd")
    ids = stored[["session_id"]]
    again = apply(ids, read, result=result, keep="words-1", store=place)
    assert len(called) == 4
    pd.testing.assert_frame_equal(again, first[again.columns])
    apply(ids, read, result=result, keep="words-2", store=place)
    assert len(called) == 8
    apply(ids, read, result=result, store=place)
    apply(ids, read, result=result, store=place)
    assert len(called) == 16


def test_nothing_is_a_result_too(stored) -> None:
    """A function that returns None is done with the row."""
    called: list[str] = []
    for _ in range(2):
        apply(stored, lambda recording: called.append(recording.session_id), keep="nothing")
    assert len(called) == 4


def test_rows_that_failed_are_tried_again(stored) -> None:
    """And they alone."""
    called: list[str] = []

    def read(recording):
        called.append(recording.session_id)
        if len(called) <= 2:
            raise OSError("the model is busy")
        return {"words": 2}

    assert apply(stored, read, keep="words")["apply_error"].notna().sum() == 2
    assert apply(stored, read, keep="words")["words"].tolist() == [2] * 4
    assert len(called) == 6


def test_values_of_another_dtype_are_tried_again(stored) -> None:
    """Their rows have an error, which is not kept when the function is mended."""
    options = {"columns": {"words": "Int64"}, "keep": "words"}
    first = apply(stored, lambda each: {"words": "many" if each.session_id == "b" else 2}, **options)
    assert first["apply_error"].notna().tolist() == [False, True, False, False]
    again = apply(stored, lambda each: {"words": 3}, **options)
    assert again["words"].tolist() == [2, 3, 2, 2]
    assert again["apply_error"].isna().all()
    options["result"] = "table"
    with pytest.warns(UserWarning, match="not of the dtypes"):
        apply(stored, lambda _: pd.DataFrame({"words": ["many"]}), **options)
    assert apply(stored, lambda _: pd.DataFrame({"words": [3]}), **options)["words"].tolist() == [3] * 4


def test_a_table_may_be_a_part_of_another(stored) -> None:
    """Its index says nothing."""
    table = pd.DataFrame({"words": [1, 2]})
    found = [apply(stored, lambda _: table[table["words"] > 1], result="table", keep="words") for _ in range(2)]
    assert found[0]["words"].tolist() == found[1]["words"].tolist() == [2] * 4


def test_a_value_that_can_not_be_kept_says_what_to_return(stored) -> None:
    """With the first of them, and not when the night is over."""
    with pytest.raises(errors.ConfigurationError, match=r"Odd, which keep='odd' can't keep: return numbers"):
        apply(stored, lambda _: Odd(), result="object", keep="odd")


@pytest.mark.parametrize("keep", ["", " ", 3, "x" * 1_000, "half \ud800"])
def test_a_name_that_is_none_is_refused(stored, keep) -> None:
    """Before anything is called."""
    with pytest.raises(errors.ConfigurationError, match="keep="):
        apply(stored, lambda _: pytest.fail("called"), keep=keep)


def test_a_kept_column_that_the_frame_has_by_now_is_refused(stored) -> None:
    """It would overwrite the caller's."""
    apply(stored, lambda _: {"words": 2}, keep="words")
    with pytest.raises(errors.FrameError, match="words"):
        apply(stored.assign(words=3), lambda _: {"words": 2}, keep="words")


def test_forgotten_sessions_are_worked_on_again(stored, place) -> None:
    """What was made of a private call goes with it."""
    called: list[str] = []

    def read(recording):
        called.append(recording.session_id)
        return {"text": "my number is"}

    apply(stored, read, keep="words")
    with kn.Store(place) as store:
        assert store.to_frame().set_index("session_id")["results"].to_dict() == dict.fromkeys("abcd", 1)
        store.forget("b")
    encoded = stored["audio"].iloc[0].encoded()
    again = calls("b", audio=[kn.Recording.from_bytes(encoded, session_id="b")])
    apply(kn.audio(again, store=place, settings=SETTINGS, progress=False), read, keep="words")
    assert called[4:] == ["b"]


KILLED = """
import os, sys
import kataven_notebook as kn
import pandas as pd

def read(recording):
    with open("called.txt", "a") as file:
        file.write(recording.session_id + "\\n")
        file.flush()
    if recording.session_id == sys.argv[1]:
        os.kill(os.getpid(), 9)
    return {"words": 2}

frame = pd.DataFrame({"session_id": list("abcd")})
settings = kn.Settings(api_key="sk_test_of_nobody")
kn.apply(frame, read, keep="words", store=sys.argv[2], settings=settings, in_flight=1, progress=False)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 there")
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_killed_run_goes_on_where_it_was(stored, place, tmp_path) -> None:
    """One call more than rows for each kill."""
    (tmp_path / "run.py").write_text(textwrap.dedent(KILLED))
    for victim in ("b", "d", "nobody"):
        done = subprocess.run([sys.executable, "run.py", victim, place], cwd=tmp_path, timeout=120, check=False)
        assert (done.returncode == 0) == (victim == "nobody")
    called = (tmp_path / "called.txt").read_text().split()
    assert sorted(set(called)) == list("abcd")
    assert len(called) <= 4 + 2
    assert len(stored) == 4
    assert Path(place).is_dir()
