"""The table beside exported sound keeps what it holds, in every format."""

from __future__ import annotations

import importlib.util

import pandas as pd
import pytest
from exports import sound

from kataven_notebook import errors
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder


@pytest.mark.core
def test_nested_values_are_left_out_of_csv_with_a_word(frame, tmp_path) -> None:
    """Parquet takes them."""
    pytest.importorskip("pyarrow")
    frame = frame.iloc[:2].assign(embedding=[[0.1, 0.2], [0.3, 0.4]])
    with pytest.warns(UserWarning, match=r"\['embedding'\].*parquet"):
        folder = to_audiofolder(frame, tmp_path / "csv", progress=False)
    assert "embedding" not in read_audiofolder(folder).columns
    back = read_audiofolder(to_audiofolder(frame, tmp_path / "parquet", metadata="parquet", progress=False))
    assert list(back["embedding"][1]) == [0.3, 0.4]


@pytest.mark.core
@pytest.mark.parametrize("metadata", ["csv", "jsonl"])
def test_what_is_hard_on_a_table_comes_back(tmp_path, metadata) -> None:
    """Ends of lines within texts, whole numbers beyond floats, times on both sides of a clock change."""
    calls = pd.DataFrame(
        {
            "session_id": ["a", "b", "c"],
            "text": ["one\rtwo", "three\r\nfour", "five\u2028six\x85seven"],
            "count": pd.array([2**62 + 1, None, 3], dtype="Int64"),
            "at": pd.to_datetime(["2024-03-30 23:30Z", None, "2024-07-27 01:30Z"]).tz_convert("Europe/Berlin"),
        }
    )
    calls["audio"] = [sound()] * 3
    back = read_audiofolder(to_audiofolder(calls, tmp_path / "calls", metadata=metadata, progress=False))
    pd.testing.assert_frame_equal(back[["session_id", "text", "count", "at"]], calls.drop(columns="audio"))


@pytest.mark.core
def test_what_no_table_can_hold_is_one_error(tmp_path) -> None:
    """Two columns of one name, or kinds that Parquet does not mix; half a character is spelled out."""
    calls = pd.DataFrame({"session_id": ["a", "b"], "mixed": [1, "x"], "audio": [sound()] * 2})
    twice = pd.concat([calls, calls[["mixed"]]], axis=1)
    with pytest.raises(errors.FrameError, match="several columns 'mixed'"):
        to_audiofolder(twice, tmp_path / "twice", progress=False)
    for metadata in ("csv", "jsonl", "parquet") if importlib.util.find_spec("pyarrow") else ("csv", "jsonl"):
        half = calls.assign(mixed=pd.Series(["\ud800", "x"], dtype=object))
        back = read_audiofolder(to_audiofolder(half, tmp_path / metadata, metadata=metadata, progress=False))
        assert back["mixed"].tolist() == ["\\ud800", "x"]
    pytest.importorskip("pyarrow")
    with pytest.raises(errors.ConfigurationError, match="metadata='jsonl'"):
        to_audiofolder(calls, tmp_path / "mixed", metadata="parquet", progress=False)
