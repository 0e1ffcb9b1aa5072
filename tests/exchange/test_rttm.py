"""Turns as RTTM that pyannote reads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.exchange.rttm import to_rttm


@pytest.fixture(scope="module")
def talk() -> pd.DataFrame:
    """The turns of the demo's calls."""
    with demo.hub() as hub:
        return kn.turns(hub.sessions, settings=hub.settings, progress=False)


def test_pyannote_reads_the_rttm(talk, tmp_path) -> None:
    """Each call with its speakers, times to the millisecond."""
    util = pytest.importorskip("pyannote.database.util")
    text = to_rttm(talk, tmp_path / "calls.rttm")
    assert (tmp_path / "calls.rttm").read_text() == text
    annotations = util.load_rttm(tmp_path / "calls.rttm")
    assert set(annotations) == set(talk["session_id"])
    for call, turns in talk.groupby("session_id"):
        segments = sorted((s.start, s.end) for s in annotations[call].itersegments())
        expected = sorted(zip(turns["start_s"], turns["end_s"], strict=True))
        np.testing.assert_allclose(segments, expected, atol=0.0011)
        assert set(annotations[call].labels()) <= {"agent", "caller", "channel_1", "channel_2"}


@pytest.mark.core
def test_rttm_holds_no_white_space_in_names() -> None:
    """It would shift the fields; unknown roles are named by channel; turns without length are none."""
    talk = pd.DataFrame(
        {
            "call": ["a b\tc", "x", "x"],
            "channel": pd.array([0, 1, 1], dtype="Int64"),
            "role": pd.array([None, "caller", "caller"], dtype="string"),
            "start_s": [0.0, 1.25, 3.0],
            "end_s": [1.0, 2.5, 3.0],
        }
    )
    assert to_rttm(talk, session="call").splitlines() == [
        "SPEAKER a_b_c 1 0.000 1.000 <NA> <NA> channel_1 <NA> <NA>",
        "SPEAKER x 2 1.250 1.250 <NA> <NA> caller <NA> <NA>",
    ]
    with pytest.raises(errors.FrameError, match="'session_id'"):
        to_rttm(talk)


@pytest.mark.core
def test_rttm_takes_any_numbers_and_says_what_is_none() -> None:
    """Missing ends are passed over, numbers as text are numbers; a list or words are one error."""
    talk = pd.DataFrame({"session_id": ["a", "a"], "channel": [0, 1], "start_s": ["0.5", "1"], "end_s": ["2", None]})
    nullable = talk.assign(
        start_s=pd.array([0.5, 1], dtype="Float64"), end_s=pd.array([2, None], dtype="Float64")
    ).convert_dtypes()
    line = "SPEAKER a 1 0.500 1.500 <NA> <NA> channel_1 <NA> <NA>\n"
    assert to_rttm(talk) == to_rttm(nullable) == line
    with pytest.raises(errors.FrameError, match="must be seconds"):
        to_rttm(talk.assign(end_s="later"))
    with pytest.raises(errors.FrameError, match="channel a number"):
        to_rttm(talk.assign(channel="left"))
    assert to_rttm(talk.assign(channel=np.inf)) == line
    with pytest.raises(errors.FrameError, match="not list"):
        to_rttm([talk])


@pytest.mark.core
def test_a_place_that_cant_be_written_is_a_store_error(tmp_path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.StoreError, match="can't be written"):
        to_rttm(pd.DataFrame(columns=["session_id", "channel", "start_s", "end_s"]), tmp_path / "file" / "x.rttm")


@pytest.mark.core
def test_half_a_character_in_a_name_is_spelled_out(tmp_path) -> None:
    """No file holds it."""
    talk = pd.DataFrame(
        {"session_id": pd.Series(["x\udce9"], dtype=object), "channel": [0], "start_s": [0.0], "end_s": [1.0]}
    )
    text = to_rttm(talk, tmp_path / "calls.rttm")
    assert text.startswith("SPEAKER x\\udce9 1 ")
    assert (tmp_path / "calls.rttm").read_text() == text
