"""What the messages suggest in place of an argument that can't work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.hints import SOUND_ENDINGS, are_sound_files, did_you_mean, is_sound_file, no_frame
from kataven_notebook.sound.formats import FORMATS

pytestmark = pytest.mark.core

TAKERS = {
    "recordings": kn.recordings,
    "audio": kn.audio,
    "metrics": kn.metrics,
    "turns": kn.turns,
    "moments": kn.moments,
    "apply": lambda frame: kn.apply(frame, len),
    "iter_recordings": kn.iter_recordings,
    "summary": kn.summary,
    "compare_groups": lambda frame: kn.compare_groups(frame, by="a", metric="b"),
    "to_rttm": kn.to_rttm,
    "player": kn.player,
    "moments=": lambda frame: kn.player(calls("s1"), moments=frame),
}


def of_library(module: str, name: str, **attributes: object) -> object:
    """An object of a class as another library makes them, which need not be installed."""
    return type(name, (), {"__module__": module, **attributes})()


@pytest.mark.parametrize("use", TAKERS.values(), ids=TAKERS)
def test_another_librarys_frame_is_told_how_to_become_one_of_pandas(use) -> None:
    """By every function that takes a frame, in one sentence."""
    arrow = pytest.importorskip("pyarrow").table({"session_id": ["s1"]})
    with pytest.raises(FrameError, match=r"not the Table of pyarrow: call \.to_pandas\(\) on it first"):
        use(arrow)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (of_library("polars.dataframe.frame", "DataFrame", to_pandas=len), r"DataFrame of polars: call \.to_pandas\("),
        (of_library("polars.lazyframe.frame", "LazyFrame", collect=len), r"call \.collect\(\)\.to_pandas\(\)"),
        (of_library("dask.dataframe.dask_expr", "DataFrame"), r"DataFrame of dask: call \.compute\(\)"),
        (of_library("modin.pandas.dataframe", "DataFrame"), r"call \.modin\.to_pandas\(\)"),
        (of_library("pyspark.sql.classic.dataframe", "DataFrame"), r"call \.toPandas\(\)"),
        (of_library("_duckdb", "DuckDBPyRelation"), r"of duckdb: call \.df\(\)"),
        (of_library("tomorrow.frames", "Frame", to_pandas=len), r"of tomorrow: call \.to_pandas\(\)"),
        (["s1"], r"list: pass pd\.DataFrame\(\{'session_id'"),
        (np.array(["s1"]), "ndarray: pass"),
        (pd.Series(["s1"]), r"Series: call \.to_frame\(\)"),
        (["a.wav", Path("b.mp3")], r"list: from_files\("),
        (pd.Series(["a.wav"]), r"Series: from_files\("),
        ("calls/*.wav", r"str: from_files\('calls/\*\.wav'\)"),
        (Path("calls"), r"from_files\('calls'\)"),
        ("calls.csv", r"str: read it first, pd\.read_csv\('calls\.csv'\)"),
        (kn.Recording.from_samples([0.0], 8_000), "Recording: pass pd.DataFrame"),
        (None, "NoneType$"),
        (7, "int$"),
    ],
)
def test_what_is_no_frame_is_told_how_to_become_one(value, says) -> None:
    """Each kind of thing in its own way; what is none gets no advice."""
    with pytest.raises(FrameError, match=rf"^a DataFrame with one row a session is needed, not .*{says}"):
        kn.audio(value)


def test_a_secret_in_the_place_of_a_frame_is_not_shown() -> None:
    """A signed URL is text, too."""
    url = "https://storage.test/a.wav?X-Amz-Signature=0123456789abcdef0123456789abcdef"
    assert "0123456789abcdef" not in no_frame("a DataFrame", url)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (["agent", "call_id"], "call_id"),
        (["Session ID", "id"], "Session ID"),
        (["sesion_id", "uuid"], "sesion_id"),
        (["agent", "id"], "id"),
        (["agent", "conversation_id"], "conversation_id"),
    ],
)
def test_a_session_column_of_another_name_is_suggested(columns, name) -> None:
    """Written otherwise, with a slip, or as other systems call it."""
    with pytest.raises(
        FrameError, match=f"no index level 'session_id' \\(did you mean '{name}'\\?\\); pass session= one of"
    ):
        kn.audio(pd.DataFrame(columns=columns))


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    """A guess that is wrong costs more than none."""
    assert did_you_mean("session_id", ["agent", 7, None, "duration_s"]) == ""
    with pytest.raises(FrameError, match="no index level 'session_id'; pass session="):
        kn.audio(pd.DataFrame({"agent": ["a"]}))


def test_other_columns_are_suggested_too() -> None:
    """Wherever a column is named."""
    frame = calls("s1", agent_side=[0], latency_s=[1.0], channel=[0], start_s=[0.0], end_s=[1.0])
    with pytest.raises(ConfigurationError, match=r"agent_channel='agent_sid' \(did you mean 'agent_side'\?\)"):
        kn.metrics(frame, agent_channel="agent_sid")
    with pytest.raises(FrameError, match=r"no column 'latencys' \(did you mean 'latency_s'\?\)"):
        kn.compare_groups(frame, by="agent_side", metric="latencys")
    with pytest.raises(FrameError, match=r"'Agent_Side' \(did you mean 'agent_side'\?\)"):
        kn.player(frame, columns=["Agent_Side"])
    with pytest.raises(FrameError, match=r"no column 'call' \(did you mean 'session_id'\?\)"):
        kn.to_rttm(frame, session="call")


def test_files_are_told_by_their_endings() -> None:
    """Of every format that is read."""
    assert {f".{name}" for name in FORMATS} <= SOUND_ENDINGS
    assert is_sound_file(Path("A.Opus"))
    assert not is_sound_file("wav")
    assert are_sound_files(["a.wav", "b.wav", 7])
    assert not are_sound_files(["a.wav", "s1", "s2"])
