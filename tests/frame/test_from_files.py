"""`from_files`: recordings of this machine as a frame, each file's trouble in its own row."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import measured
from tones import RATE, encoded, tone

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core

WAV = encoded(tone(1.0), "WAV", "PCM_16")
AU = encoded(tone(1.0), "AU", "PCM_16")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of files, in which the process stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: Path, *names: str, data: bytes = WAV) -> None:
    """Write files, and the folders that they lie in."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def opened(files: object, **options: object) -> pd.DataFrame:
    """The frame without a bar."""
    return kn.from_files(files, **{"progress": False, **options})


def test_each_file_is_a_row_with_its_sound_or_the_reason(folder) -> None:
    """No key, no settings, no request."""
    put(folder, "good.wav", "b/more.FLAC")
    put(folder, "cut.wav", data=WAV[:-2_000])
    put(folder, "cut.au", data=AU[:-100])
    put(folder, "page.mp3", data=b"<html>no sound</html>")
    put(folder, "empty.wav", data=b"")
    (folder / "folder.wav").mkdir()
    names = ["good.wav", "b/more.FLAC", "cut.wav", "cut.au", "page.mp3", "empty.wav", "gone.wav", "folder.wav"]
    names += [None, float("nan"), pd.NA, "", 7, {"path": "good.wav"}, "good.wav/below", "a\0b", "~nobody-here/a.wav"]
    found = opened(names)
    assert found["recording_status"].tolist() == [
        *["downloaded"] * 2, *["corrupt"] * 4, "missing", "failed", *["missing"] * 9,
    ]  # fmt: skip
    assert found["recording_error"].isna().tolist() == [True, True, *[False] * 15]
    reasons = found["recording_error"].tolist()
    assert [reasons[at].split(":")[0] for at in (2, 3, 4, 5)] == [
        "the file is cut short", "the file is cut short", "the file is an HTML page, not audio", "the file is empty",
    ]  # fmt: skip
    assert reasons[6] == f"there is no file {folder / 'gone.wav'}"
    assert reasons[7] == f"{folder / 'folder.wav'} is a folder: name a sound file"
    assert reasons[8:12] == ["the row names no file"] * 4
    assert reasons[12:14] == [f"the row holds {kind}, no path: write the path as text" for kind in ("int", "dict")]
    assert "is no path: write it in full" in reasons[15]
    first = found.iloc[0]
    assert (first["session_id"], first["duration_s"], first["sample_rate"], first["channels"]) == ("good", 1.0, RATE, 2)
    assert first["audio"].path == folder / "good.wav"
    assert first["audio"].session_id == "good"
    assert found["session_id"].tolist()[1] == "more"
    assert kn.summary(found)["rows"].sum() == len(found)


def test_a_folder_a_pattern_a_file_and_paths_are_taken(folder) -> None:
    """Sorted, hidden files left out, nothing but files; a name may hold the signs of a pattern."""
    put(folder, "calls/b.wav", "calls/a/c.mp3", "calls/a/.hidden.wav", "calls/.cache/d.wav", "calls/notes.txt")
    put(folder, "calls/odd[1].wav")
    (folder / "calls" / "empty.wav").mkdir()
    everything = ["c", "b", "odd[1]"]
    for files in ("calls", Path("calls"), folder / "calls"):
        assert opened(files)["session_id"].tolist() == everything
    assert opened("calls/**/*.wav")["session_id"].tolist() == ["b", "odd[1]"]
    assert opened(str(folder / "calls" / "**" / "*.mp3"))["session_id"].tolist() == ["c"]
    assert opened("**/*.mp3", root="calls")["path"].tolist() == [str(folder / "calls" / "a" / "c.mp3")]
    assert opened("calls/odd[1].wav")["recording_status"].tolist() == ["downloaded"]
    paths = ["calls/b.wav", Path("calls/a/c.mp3"), "calls/b.wav"]
    for given in (paths, tuple(paths), iter(paths), np.array(paths, dtype=object), pd.Series(paths, index=[5, 6, 7])):
        found = opened(given)
        assert found["session_id"].tolist() == ["b", "c", "b"]
        assert found["audio"].iloc[0] is found["audio"].iloc[2]
    assert found.index.tolist() == [5, 6, 7]
    assert opened([]).columns.tolist() == found.columns.tolist()


def test_home_is_where_it_is_everywhere_else(folder, monkeypatch) -> None:
    """In folders, patterns and paths."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    put(folder, "calls/a.wav")
    for files in ("~/calls", "~/calls/*.wav", ["~/calls/a.wav"]):
        assert opened(files)["recording_status"].tolist() == ["downloaded"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ("calls/*.wav", "no file of .* matches it"),
        ("calls", "there is no file and no folder .*calls"),
        ("empty", r"no sound file lies in .*empty; the endings of such are \.aac"),
        ("a\0b", "is no path"),
        ("~nobody-here/calls", "is no path"),
    ],
)
def test_a_place_without_files_is_one_sentence(folder, files, says) -> None:
    """It is a slip nearly always."""
    (folder / "empty").mkdir()
    with pytest.raises(ConfigurationError, match=says):
        opened(files)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["x/a.wav", "x/b.wav"], ["a", "b"]),
        (["x/a.wav", "y/a.wav", "x/b.wav"], ["x/a", "y/a", "b"]),
        (["a.wav", "x/a.wav"], ["a", "x/a"]),
        (["x/a.wav", "x/a.mp3"], ["x/a.wav", "x/a.mp3"]),
        (["a.wav", "a.mp3", "a.wav.flac"], ["a.wav", "a.mp3", "a.wav.flac"]),
        (["x/a.b.wav"], ["a.b"]),
    ],
)
def test_made_ids_are_as_short_as_tells_files_apart(folder, names, ids) -> None:
    """The name, the path below what all have in common, or that with its ending; the same whatever the order is."""
    put(folder, *names, "z/other.wav")
    found = opened([*names, "z/other.wav"])
    assert found["session_id"].tolist() == [*ids, "other"]
    again = opened(["z/other.wav", *reversed(names)])
    assert again["session_id"].tolist() == ["other", *reversed(ids)]
    assert found["session_id"].is_unique


def test_a_frame_keeps_its_rows_its_index_and_its_columns(folder) -> None:
    """And its session ids, in any column; of the index too."""
    put(folder, "a.wav", "b.wav")
    frame = pd.DataFrame({"file": ["b.wav", "a.wav", "b.wav"], "agent": [1, 2, 1]}, index=[3, 3, 1])
    before = frame.copy()
    made = opened(frame, path="file")
    assert made["session_id"].tolist() == ["b", "a", "b"]
    assert made[["file", "agent"]].equals(before)
    pd.testing.assert_frame_equal(frame, before)
    named = opened(frame.assign(call=["s2", "s1", "s2"]), path="file", session="call")
    assert [each.session_id for each in named["audio"]] == ["s2", "s1", "s2"]
    assert "session_id" not in named
    by_index = opened(frame.set_index(pd.Index(["s2", "s1", "s2"], name="session_id")), path="file")
    assert [each.session_id for each in by_index["audio"]] == ["s2", "s1", "s2"]
    again = opened(named, path="file", session="call")
    assert again["recording_status"].tolist() == ["downloaded"] * 3


def test_what_can_not_be_is_said_beforehand(folder) -> None:
    """Columns that are not there or would be overwritten, two files of a session, and what holds no paths."""
    put(folder, "a.wav", "b.wav")
    frame = pd.DataFrame({"file": ["a.wav", "b.wav"], "session_id": ["s1", "s1"]})
    with pytest.raises(FrameError, match=r"session 's1' has two files, '.*a\.wav' and '.*b\.wav': give each"):
        opened(frame, path="file")
    with pytest.raises(FrameError, match=r"no index level 'fil' \(did you mean 'file'\?\); pass path= one of"):
        opened(frame, path="fil")
    with pytest.raises(FrameError, match=r"pass path= one of .*The column 'file' names sound files"):
        opened(frame)
    with pytest.raises(FrameError, match=r"'call' \(did you mean 'session_id'\?\); pass session="):
        opened(frame, path="file", session="call")
    with pytest.raises(FrameError, match=r"stand in 'audio', which this would overwrite: rename it"):
        opened(frame.rename(columns={"file": "audio"}), path="audio")
    with pytest.raises(FrameError, match="columns of its own named 'duration_s'"):
        opened(frame.assign(duration_s=["long", "short"], session_id=["s1", "s2"]), path="file")
    assert "x_duration_s" in opened(frame.assign(duration_s=5, session_id=["s1", "s2"]), path="file", prefix="x_")
    with pytest.raises(FrameError, match="session ids are text"):
        opened(frame.assign(session_id=[1, 2]), path="file")
    with pytest.raises(FrameError, match="both 'path'"):
        opened(["a.wav"], session="path")
    for value in (7, None, b"calls", {"a": 1}, pytest):
        with pytest.raises(FrameError, match="a folder, a pattern, paths or a DataFrame"):
            opened(value)
    arrow = pytest.importorskip("pyarrow").table({"path": ["a.wav"]})
    with pytest.raises(FrameError, match=r"call \.to_pandas\(\) on it first"):
        opened(arrow)


def test_measuring_files_needs_no_key_and_no_service(folder, monkeypatch) -> None:
    """Opening them reads no settings; files without sound keep their reason."""
    put(folder, "a.wav", "b.wav")
    put(folder, "page.wav", data=b"<html>")
    monkeypatch.setenv("KATAVEN_BASE_URL", "ftp://nowhere")
    found = opened("*.wav")
    monkeypatch.delenv("KATAVEN_BASE_URL")
    numbers = measured(found, agent_channel=0)
    assert numbers["recording_status"].tolist() == ["downloaded", "downloaded", "corrupt"]
    assert numbers["agent_talk_s"].notna().tolist() == [True, True, False]
    assert kn.apply(found, lambda recording: recording.frames, columns="n", progress=False)["n"].tolist()[0] == RATE
    heard = kn.audio(found, progress=False)
    assert heard["audio"].tolist() == found["audio"].tolist()


def test_no_store_takes_files_for_recordings_of_made_up_sessions(folder) -> None:
    """What a frame says of its files is taken at its word."""
    put(folder, "a.wav", "b.wav")
    store = kn.Store(folder / "store")
    with pytest.warns(UserWarning, match="opened by from_files"):
        kn.audio(opened("*.wav"), store=store, progress=False)
    assert len(store.to_frame()) == 0
    frame = pd.DataFrame({"session_id": ["s1", "s2"], "path": ["a.wav", "b.wav"]})
    kn.audio(opened(frame), store=store, progress=False)
    assert sorted(store.to_frame()["session_id"]) == ["s1", "s2"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
def test_a_pipe_is_not_waited_for_and_a_file_that_is_locked_is_its_rows_trouble(folder) -> None:
    """Neither holds up the others."""
    put(folder, "a.wav", "locked.wav")
    os.mkfifo(folder / "pipe.wav")
    (folder / "locked.wav").chmod(0)
    found = opened(["pipe.wav", "a.wav", "locked.wav"])
    expected = "downloaded" if os.geteuid() == 0 else "failed"
    assert found["recording_status"].tolist() == ["failed", "downloaded", expected]
    assert found["recording_error"].iloc[0] == f"{folder / 'pipe.wav'} is no plain file: name a sound file"
