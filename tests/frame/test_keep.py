"""What functions return is kept under a name, in any store, through kills."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import calls, tones

import kataven_notebook as kn
from kataven_notebook import errors

pytestmark = pytest.mark.core

SETTINGS = kn.Settings(api_key="sk_test_of_nobody")


class Odd:
    """Something of the user's own."""


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
