"""What a user's function returns becomes cells and columns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors

pytestmark = pytest.mark.core


def test_dicts_dataclasses_and_series_become_columns(run) -> None:
    """Each with the dtype that its values have."""

    @dataclasses.dataclass
    class Found:
        length_s: float
        channels_seen: int
        is_short: bool
        name: str

    def look(recording: kn.Recording) -> Found:
        return Found(recording.duration_s, recording.channels, recording.duration_s < 1, "x")

    for fn in (look, lambda r: dataclasses.asdict(look(r)), lambda r: pd.Series(dataclasses.asdict(look(r)))):
        found = run(fn)
        dtypes = found[["length_s", "channels_seen", "is_short", "name"]].dtypes.astype(str).tolist()
        assert dtypes == ["float64", "Int64", "boolean", "string"]
        assert bool(found["is_short"][2])


def test_none_is_a_missing_value(run) -> None:
    """And no error: not every function finds something."""
    found = run(lambda r: None if r.duration_s < 1 else 1.5, columns="score")
    assert found["score"].count() == 3
    assert found["apply_error"].isna().all()


def test_a_value_of_another_dtype_is_its_rows_error(run) -> None:
    """The others keep theirs."""
    found = run(lambda r: "many" if r.duration_s == 1 else 3, columns={"words": "Int64"})
    assert found["words"].tolist()[2] == 3
    assert "'many' can't be of dtype Int64" in found["apply_error"].dropna().unique().tolist()[0]
    assert found["apply_error"].notna().tolist() == [True, False, False, True, False, False]
    good = pd.DataFrame({"session_id": ["s1", "s2"]})
    with pytest.raises(errors.WorkFailed, match=r"'s2'.*can't be of dtype Int64"):
        run(lambda r: "many" if r.duration_s == 1 else 3, good, columns={"words": "Int64"}, errors="raise")


def test_numbers_of_every_kind_make_columns(run) -> None:
    """Lengths of time are no counts, counts beyond 64 bits are kept, and numpy's integers may be missing."""
    good = pd.DataFrame({"session_id": ["s1", "s2"]})
    found = run(lambda r: {"took": np.timedelta64(3, "s"), "big": 2**70}, df=good)
    assert found["took"].tolist() == [pd.Timedelta("3s")] * 2
    assert found["big"].tolist() == [2**70] * 2
    assert found["apply_error"].isna().all()
    few = run(lambda r: 5 if r.session_id == "s1" else None, df=good, columns={"few": np.uint16})
    assert few["few"].dtype == "UInt16"
    assert few["few"].isna().tolist() == [False, True]


@pytest.mark.parametrize("dtype", [None, "string", "category", "string[python]"])
def test_half_characters_are_spelled_out_in_values_and_names(run, dtype) -> None:
    """No column of text holds them, and neither does a page or a file that the frame goes to."""
    found = run(lambda _: {"half \udce9": "x\udce9", "n": 1}, columns=dtype and {"half \udce9": dtype})
    assert found["half \\udce9"].tolist()[0] == "x\\udce9"
    assert found["apply_error"].isna().tolist()[0]
    mixed = run(lambda r: {"mixed": "x\udce9" if r.duration_s < 1 else 1.5})
    assert "x\\udce9" in mixed["mixed"].tolist()
    texts = pd.Series(["x\udce9", 1], dtype=object)
    with pytest.warns(UserWarning, match="2 of 5 sessions are not in the table"):
        table = run(lambda _: pd.DataFrame({"word": texts, "n": [1, 2]}), result="table")
    assert table["word"].tolist()[:2] == ["x\\udce9", 1]


def test_a_value_that_can_not_even_be_looked_at_is_its_rows_error(run) -> None:
    """Comparing it or showing it is somebody else's code, which raises what it likes."""

    class Odd:
        __hash__ = None

        def __eq__(self, _: object) -> bool:
            raise RuntimeError("more than one value is ambiguous")

        def __repr__(self) -> str:
            raise RuntimeError("not now")

    found = run(lambda r: {"score": Odd() if r.duration_s < 1 else 1.5}, columns={"score": "Int64", "other": float})
    assert found["apply_error"].str.contains("score: a Odd can't be of dtype Int64").any()
    found = run(lambda r: {"score": Odd() if r.duration_s < 1 else 2}, columns={"score": "Int64"})
    assert found["score"].dropna().eq(2).all()
    assert found["score"].count() == 3
