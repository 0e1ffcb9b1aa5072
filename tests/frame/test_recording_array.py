"""A column of recordings in pandas: what users do with frames keeps it, and its recordings."""

from __future__ import annotations

import copy
import pickle
import time

import numpy as np
import pandas as pd
import pytest
from frames import calls, loud

import kataven_notebook as kn
from kataven_notebook import Recording
from kataven_notebook.frame.columns import recordings_of

pytestmark = pytest.mark.core


def recordings(count: int) -> list[Recording]:
    """Return short recordings with sound in memory."""
    return [Recording.from_samples(np.full(8_000, 0.1), 8_000, session_id=f"s{each}") for each in range(count)]


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two recordings and a row without one."""
    first, second = recordings(2)
    table = calls("s0", "none", "s1", number=[1, 2, 3], kind=["a", "b", "a"])
    return table.assign(audio=pd.Series([first, None, second], dtype="recording"))


def test_audio_gives_a_column_of_the_dtype(hub) -> None:
    """Also for a frame without rows and for one without sound."""
    for ids in (("s1", "gone"), (), ("gone",)):
        heard = kn.audio(calls(*ids), settings=hub.settings, progress=False)
        assert heard["audio"].dtype == "recording"
        assert heard["audio"].dtype.name == "recording"
        assert [each is None for each in heard["audio"]] == [each == "gone" for each in ids]


@pytest.mark.parametrize("dtype", ["recording", "recording[bytes]", object])
def test_functions_take_the_column_in_any_dtype(frame, dtype) -> None:
    """Those of frames that were made by hand, or by an older version, too."""
    held = frame.astype({"audio": dtype})
    held.loc[1, "session_id"] = None  # so that nobody is asked
    assert [each is None for each in recordings_of(held, "")] == [False, True, False]
    measured = kn.metrics(held, speech=loud, agent_channel=0, progress=False, settings=kn.Settings(api_key="sk_live_x"))
    assert measured["recording_status"].tolist() == ["downloaded", "invalid", "downloaded"]


def test_a_row_without_sound_holds_none(frame) -> None:
    """In rows, tuples and lists, whatever pandas was given for missing."""
    assert [row.audio is None for row in frame.itertuples()] == [False, True, False]
    assert [row["audio"] is None for _, row in frame.iterrows()] == [False, True, False]
    assert frame["audio"].isna().tolist() == [False, True, False]
    assert len(frame.dropna(subset="audio")) == frame["audio"].count() == 2
    column = pd.Series([None, np.nan, pd.NA, pd.NaT], dtype="recording")
    assert column.tolist() == [None] * 4
    assert frame["audio"].shift().tolist()[0] is None
    assert frame["audio"].reindex([0, 9]).tolist()[1] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.iloc[::-1].sort_index(),
        lambda frame: frame.loc[frame["number"] > 0],
        lambda frame: pd.concat([frame.head(1), frame.tail(2)]),
        lambda frame: frame.merge(pd.DataFrame({"session_id": ["s0", "none", "s1"], "more": 1}), on="session_id"),
        lambda frame: frame.explode("number"),
        lambda frame: frame.groupby("number", as_index=False).first(),
        lambda frame: frame.groupby("number", as_index=False).last(),
        lambda frame: frame.groupby("number").head(1),
        lambda frame: frame.copy(),
        copy.copy,
        copy.deepcopy,
        lambda frame: frame.replace("a", "c"),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.astype({"audio": object}).astype({"audio": "recording"}),
        lambda frame: frame.set_index("session_id").reindex(["s0", "none", "s1"]),
        lambda frame: frame.where(frame["number"] > 0),
    ],
)
def test_what_pandas_does_with_rows_keeps_dtype_and_recordings(frame, change) -> None:
    """The same objects, in their rows."""
    changed = change(frame)
    assert changed["audio"].dtype == "recording"
    assert all(one is other for one, other in zip(changed["audio"], frame["audio"], strict=True))


def test_columns_of_other_kinds_can_be_put_below(frame) -> None:
    """Plain objects make a column of objects, a frame without the column one of missing recordings."""
    below = pd.concat([frame, frame.astype({"audio": object})])
    assert below["audio"].dtype == object
    assert [each is None for each in recordings_of(below, "")] == [False, True, False] * 2
    assert pd.concat([frame, calls("other")])["audio"].dtype == "recording"
    both = pd.concat([frame, frame.astype({"audio": "recording[bytes]"})])
    assert both["audio"].dtype == "recording"
    joined = frame.merge(calls("s0", "new"), on="session_id", how="outer").set_index("session_id")
    assert joined["audio"].isna().to_dict() == {"s0": False, "none": True, "s1": False, "new": True}


def test_groups_have_a_first_a_last_a_count_and_a_size(frame) -> None:
    """The first that is there, as in any column."""
    _, _, second = frame["audio"]
    groups = frame.iloc[[1, 2, 0]].assign(kind="x").groupby("kind")["audio"]
    assert groups.first().tolist() == [second]
    assert groups.last().tolist() == [frame["audio"][0]]
    assert (groups.count().tolist(), groups.size().tolist(), groups.nunique().tolist()) == ([2], [3], [2])


def test_a_large_frame_is_grouped_without_a_call_for_each_group() -> None:
    """In much less than the time that such calls take."""
    column = pd.array([*recordings(1), None] * 50_000, dtype="recording")
    frame = pd.DataFrame({"group": np.arange(100_000) // 2, "audio": column})
    began = time.process_time()
    first = frame.groupby("group")["audio"].first()
    assert time.process_time() - began < 0.3
    assert first.notna().all()


def test_two_are_equal_where_they_are_one_object(frame) -> None:
    """Sound is not compared, and nothing equals a missing row."""
    first, second = recordings(2)
    column = pd.Series([first, second, first, None], dtype="recording")
    assert (column == first).tolist() == [True, False, True, False]
    assert (column != first).tolist() == [False, True, False, True]
    assert (column == column.copy()).tolist() == [True, True, True, False]
    assert (column == None).tolist() == [False] * 4  # noqa: E711 - of the column
    assert column.isin([second]).tolist() == [False, True, False, False]
    assert column.unique().tolist() == [first, second, None]
    assert column.nunique() == 2
    assert pd.factorize(column)[0].tolist() == [0, 1, 0, -1]
    assert column.value_counts().tolist() == [2, 1]
    assert frame.equals(frame.copy())
    with pytest.raises(ValueError, match="Lengths must match"):
        column.array == [first]  # noqa: B015 - it raises


def test_rows_can_be_set_to_recordings_and_to_nothing_else(frame) -> None:
    """A recording of one's own, or missing."""
    (mine,) = recordings(1)
    frame.loc[1, "audio"] = mine
    frame.loc[0, "audio"] = None
    assert frame["audio"].tolist()[:2] == [None, mine]
    assert frame["audio"].fillna(mine).tolist()[0] is mine
    with pytest.raises(TypeError, match="recordings or nothing, not str"):
        frame.loc[0, "audio"] = "call.wav"
    with pytest.raises(TypeError, match="recordings or nothing, not int"):
        pd.Series([1], dtype="recording")


def test_what_a_function_returns_is_left_as_it_is(frame) -> None:
    """Recordings or anything else, dicts with names of ours among them."""
    lengths = frame["audio"].dropna().map(lambda each: each.duration_s)
    assert lengths.tolist() == [1.0, 1.0]
    dicts = frame["audio"].dropna().map(lambda each: {"path": None, "format": each.format})
    assert dicts.dtype == object
    assert dicts.tolist() == [{"path": None, "format": "wav"}] * 2
    assert [each.frames for each in frame["audio"].dropna().map(Recording.mono)] == [8_000, 8_000]


def test_a_frame_shows_length_format_and_channels(frame) -> None:
    """In text and in a notebook; more of it in the cell's own repr."""
    stereo = Recording.from_samples(np.zeros((232_000, 2)), 8_000)
    many = Recording.from_samples(np.zeros((80, 3)), 8_000)
    shown = frame.assign(audio=pd.Series([stereo, None, many], dtype="recording"))
    for text in (repr(shown), shown.to_html()):
        for each in ("0:29 wav stereo", "0:00 wav 3 channels", "None"):
            assert each in text


def test_a_frame_can_be_described(frame, capsys) -> None:
    """By what pandas has for it."""
    assert frame.describe(include="all")["audio"]["count"] == 2
    frame.info()
    assert "recording(1)" in capsys.readouterr().out
    in_memory = frame.memory_usage(deep=True)["audio"]
    assert in_memory > 2 * frame["audio"][0].size_bytes > frame.memory_usage()["audio"]
    twice = frame.assign(audio=pd.Series([frame["audio"][0]] * 3, dtype="recording"))
    assert twice.memory_usage(deep=True)["audio"] < in_memory


def test_tables_of_text_hold_no_sound(frame) -> None:
    """JSON, with a handler and without, and CSV."""
    for text in (frame.to_json(), frame.to_json(default_handler=str), frame.to_json(orient="records", lines=True)):
        assert text.count("<Recording 1.0 s, 8000 Hz, 1 channel, wav>") == 2
        assert len(text) < 600
    assert frame.to_csv().count("<Recording 1.0 s, 8000 Hz, 1 channel, wav>") == 2


def test_a_pickle_holds_the_path_of_a_file_and_the_sound_of_memory(frame, tmp_path) -> None:
    """As a recording by itself does."""
    (tmp_path / "a.wav").write_bytes(frame["audio"][0].encoded())
    on_disk = frame.assign(audio=pd.Series([Recording.from_file(tmp_path / "a.wav"), None, None], dtype="recording"))
    on_disk.to_pickle(tmp_path / "frame.pickle")
    assert b"RIFF" not in (tmp_path / "frame.pickle").read_bytes()
    assert pd.read_pickle(tmp_path / "frame.pickle")["audio"][0].path == tmp_path / "a.wav"  # noqa: S301 - just made
    back = pickle.loads(pickle.dumps(frame))  # noqa: S301 - the same
    assert back["audio"].dtype == "recording"
    assert back["audio"][2].encoded() == frame["audio"][2].encoded()


def test_other_libraries_take_the_dtype_for_one_of_objects(frame) -> None:
    """DuckDB looks its name up, and refuses a frame with one that is not numpy's."""
    assert frame.dtypes.astype(str)["audio"] == "object"
    with pytest.raises(TypeError):
        pd.api.types.pandas_dtype("recording[sound]")
