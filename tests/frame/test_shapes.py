"""What `apply` returns: the caller's frame with more columns, or one long table."""

from __future__ import annotations

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors

pytestmark = pytest.mark.core


def test_different_keys_per_call_give_the_union(run) -> None:
    """A value that a call did not return is missing in its row, and that is no error."""
    found = run(lambda r: {"always": 1} | ({"long": 2} if r.duration_s >= 1 else {}))
    assert found["always"].tolist() == [1, pd.NA, 1, 1, pd.NA, 1]
    assert found["long"].isna().tolist() == [False, True, True, False, True, False]
    assert found["apply_error"].isna().all()


def test_columns_give_an_empty_frame_its_columns_and_dtypes(run, frame) -> None:
    """So that what comes after works on no calls, too."""
    wanted = {"words": int, "text": "string", "rate": float, "kind": "category"}
    found = run(lambda r: None, frame.iloc[:0], columns=wanted)
    assert found[list(wanted)].dtypes.astype(str).tolist() == ["Int64", "string", "float64", "category"]
    assert {"recording_status", "recording_error", "apply_error"} <= set(found.columns)
    table = run(lambda r: None, frame.iloc[:0], result="table", columns={"start_s": float})
    assert table.columns.tolist() == ["session_id", "start_s"]
    assert str(table["start_s"].dtype) == "float64"


def test_a_frame_a_call_becomes_one_long_table(run) -> None:
    """The session column comes first under the caller's name; what failed is told."""

    def seconds(recording: kn.Recording) -> pd.DataFrame | None:
        if recording.duration_s < 1:
            return None
        return pd.DataFrame({"second": range(int(recording.duration_s)), "loud": True})

    with pytest.warns(UserWarning, match="2 of 5 sessions are not in the table"):
        table = run(seconds, result="table")
    assert table.columns.tolist() == ["session_id", "second", "loud"]
    assert table["session_id"].tolist() == ["s2", "s3"]
    assert set(table.attrs["apply_errors"]) == {"gone", "broken"}
    with pytest.warns(UserWarning, match="not in the table"):
        failed = run(lambda r: 5, result="table")
    assert "return a DataFrame" in failed.attrs["apply_errors"]["s1"]


def test_objects_stand_in_one_column_as_they_are(run) -> None:
    """Arrays stay arrays, dicts stay dicts."""
    found = run(lambda r: r.samples.mean(axis=0), result="object", columns="embedding")
    assert found["embedding"].dtype == object
    assert found["embedding"][0].shape == (2,)
    assert found["embedding"][1] is None


def test_running_again_overwrites_only_what_is_ours(run, frame) -> None:
    """A column of the caller's is refused with the first value, not after hours."""
    first = run(lambda r: {"score": 1})
    second = run(lambda r: {"score": 2}, first)
    assert second["score"].dropna().unique().tolist() == [2]
    assert list(second) == list(first)
    with pytest.raises(errors.FrameError, match=r"'note'.*prefix="):
        run(lambda r: {"note": 1})
    with pytest.raises(errors.FrameError, match="'session_id'"):
        run(lambda r: {"session_id": 1})
    with pytest.raises(errors.FrameError, match="'audio'"):
        run(lambda r: {"audio": 1})
    with pytest.raises(errors.FrameError, match="'session_id'"):
        run(lambda r: pd.DataFrame({"session_id": [1]}), result="table")
    assert run(lambda r: {"note": 1}, prefix="k_")["k_note"].count() == 4


def test_tables_keep_their_columns_and_tell_what_does_not_fit(run) -> None:
    """Frames without rows have columns; wrong values are told; columns that can't be named are their rows' errors."""
    good = pd.DataFrame({"session_id": ["s1", "s2"]})
    nothing = run(lambda r: pd.DataFrame({"word": pd.Series(dtype="string")}), df=good, result="table")
    assert nothing.dtypes.astype(str).to_dict() == {"session_id": "string", "word": "string"}

    def spoken(recording: kn.Recording) -> pd.DataFrame:
        return pd.DataFrame({"count": [1, "many" if recording.session_id == "s2" else 2]})

    with pytest.warns(UserWarning, match="values of 1 sessions are not of the dtypes"):
        found = run(spoken, df=good, result="table", columns={"count": int})
    assert found["count"].fillna(0).tolist() == [1, 2, 1, 0]
    assert found.attrs["apply_errors"] == {"s2": "count: 'many' can't be of dtype Int64"}
    with pytest.raises(errors.WorkFailed, match="'many' can't be of dtype"):
        run(spoken, df=good, result="table", columns={"count": int}, errors="raise")
    for names in (["a", "a"], pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])):
        with pytest.warns(UserWarning, match="give each column one name"):
            assert run(lambda r, names=names: pd.DataFrame([[1, 2]], columns=names), df=good, result="table").empty


def test_a_column_of_the_callers_is_safe_beside_metrics(run) -> None:
    """What the frame does not note as ours is the caller's, whatever stands beside it."""
    mine = pd.DataFrame(
        {"session_id": ["s1"], "score": [1], "recording_status": ["downloaded"], "speech_method": ["x"]}
    )
    with pytest.raises(errors.FrameError, match="'score'"):
        run(lambda r: {"score": 5}, df=mine)
