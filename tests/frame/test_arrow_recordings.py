"""Parquet, Feather and other tables of Arrow: a column of recordings goes out, and comes back in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook import Recording
from kataven_notebook.frame.arrow_recordings import RecordingType
from kataven_notebook.store.objects import ObjectFolder, RemoteObject

pytestmark = pytest.mark.core


@pytest.fixture
def kept(hub, tmp_path) -> pd.DataFrame:
    """Two recordings in a store, and a session without one."""
    frame = calls("s1", "gone", "s2")
    return kn.audio(frame, store=tmp_path / "calls", settings=hub.settings, progress=False)


def in_new_process(script: str, *arguments: object) -> str:
    """Run a script in a process of its own, in which every warning is an error, and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", f"import sys; {script}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.strip()


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_saved_frame_comes_back_in_a_new_process(kept, kind, tmp_path) -> None:
    """With the dtype, and recordings that read their file."""
    file = tmp_path / f"frame.{kind}"
    getattr(kept, f"to_{kind}")(file)
    assert b"RIFF" not in file.read_bytes()
    told = in_new_process(
        f"import pandas as pd, kataven_notebook as kn; frame = pd.read_{kind}(sys.argv[1]); "
        "print(frame['audio'].dtype.name, [each and each.samples.shape for each in frame['audio']], "
        "frame['audio'][0].session_id, frame['recording_status'].tolist())",
        file,
    )
    assert told == "recording [(8000, 2), None, (8000, 2)] s1 ['downloaded', 'missing', 'downloaded']"


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_saved_frame_is_read_without_the_package(kept, kind, hub, tmp_path) -> None:
    """As what is written of each recording, which the package takes when it is imported later."""
    file = tmp_path / f"frame.{kind}"
    getattr(kept, f"to_{kind}")(file)
    told = in_new_process(
        f"import pandas as pd; frame = pd.read_{kind}(sys.argv[1]); print(frame['audio'][0]['path']); "
        "import kataven_notebook as kn; "
        "settings = kn.Settings(api_key='sk_live_demo_1', base_url=sys.argv[2]); "
        "again = kn.audio(frame, settings=settings, progress=False); print(again['recording_status'].tolist()); "
        "print(frame.astype({'audio': 'recording'})['audio'][2].samples.shape)",
        file,
        hub.base_url,
    )
    path, statuses, shape = told.splitlines()
    assert Path(path) == kept["audio"][0].path
    assert statuses == "['downloaded', 'missing', 'downloaded']"
    assert shape == "(8000, 2)"


def test_sound_that_is_gone_is_missing_and_found_again_by_the_next_run(kept, hub, tmp_path) -> None:
    """The warning counts, and names the first and what to do."""
    kept.to_parquet(tmp_path / "frame.parquet")
    kept["audio"][0].path.unlink()
    with pytest.warns(UserWarning, match=r"1 of 2 recordings .* 's1': its file .* audio\(\) with store=") as told:
        back = pd.read_parquet(tmp_path / "frame.parquet")
    assert told[0].filename == __file__
    assert back["audio"].isna().tolist() == [True, True, False]
    again = kn.audio(back, store=tmp_path / "calls", settings=hub.settings, progress=False)
    assert again["audio"].isna().tolist() == [False, True, False]


def test_sound_in_memory_alone_is_refused_with_two_ways_out(hub, tmp_path) -> None:
    """Nothing is written; each of the two works."""
    heard = kn.audio(calls("s1", "gone"), settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.FrameError, match="sound of 1 of 1 recordings is in memory") as told:
        heard.to_parquet(tmp_path / "frame.parquet")
    assert not (tmp_path / "frame.parquet").exists()
    for way in ('store="calls/"', 'drop(columns="audio")'):
        assert way in str(told.value)
    stored = kn.audio(heard, store=tmp_path / "calls", settings=hub.settings, progress=False)
    stored.to_parquet(tmp_path / "frame.parquet")
    heard.drop(columns="audio").to_parquet(tmp_path / "frame.parquet")


def test_sound_is_written_where_it_is_asked_for(kept, tmp_path) -> None:
    """Parts that no store takes, too; the file needs no other."""
    kept["audio"] = kept["audio"].map(lambda each: each and each.slice(0.1, 0.2)).astype("recording")
    with pytest.raises(kn.errors.FrameError, match=r"recording\[bytes\]"):
        kept.to_parquet(tmp_path / "frame.parquet")
    kept.astype({"audio": "recording[bytes]"}).to_parquet(tmp_path / "frame.parquet")
    back = pd.read_parquet(tmp_path / "frame.parquet")["audio"]
    assert back.dtype == "recording"
    assert [each and (each.is_derived, each.encoded()) for each in back] == [
        each and (True, each.encoded()) for each in kept["audio"]
    ]


def test_sound_that_can_not_be_read_is_not_written(kept, tmp_path) -> None:
    """The error is that of the file."""
    kept["audio"][0].path.unlink()
    with pytest.raises(FileNotFoundError):
        kept.astype({"audio": "recording[bytes]"}).to_parquet(tmp_path / "frame.parquet")


def test_a_bucket_is_named_without_credentials(wav, tmp_path) -> None:
    """In the file's every byte; nobody is asked when it is read."""
    remote = RemoteObject(ObjectFolder("s3://key:s3cret@bucket/calls"), f"audio/ab/{'ab' * 20}-{'cd' * 8}.wav", 1)
    recording = Recording(remote, Recording.from_bytes(wav).info, len(wav), session_id="s1")
    frame = calls("s1").assign(audio=pd.Series([recording], dtype="recording"))
    frame.to_parquet(tmp_path / "frame.parquet", compression=None)
    content = (tmp_path / "frame.parquet").read_bytes()
    assert b"s3://bucket/calls" in content
    assert b"s3cret" not in content
    assert pd.read_parquet(tmp_path / "frame.parquet")["audio"][0].duration_s == 0.5


@pytest.mark.parametrize("rows", [slice(0, 0), slice(1, 2)])
def test_a_column_without_sound_keeps_its_dtype(kept, rows, tmp_path) -> None:
    """Without a row, or with missing recordings alone."""
    kept.iloc[rows].to_parquet(tmp_path / "frame.parquet")
    back = pd.read_parquet(tmp_path / "frame.parquet")
    assert back["audio"].dtype == "recording"
    assert back["audio"].tolist() == [None] * len(range(3)[rows])


def test_tables_of_arrow_hold_the_column_in_pieces_and_by_other_names(kept, tmp_path) -> None:
    """In row groups, without what pandas wrote beside it, and as pandas' own Arrow dtype."""
    table = pa.table({"sound": pa.array(kept["audio"].array), "number": [1, 2, 3]})
    pa.parquet.write_table(table, tmp_path / "frame.parquet", row_group_size=1)
    back = pd.read_parquet(tmp_path / "frame.parquet")
    assert [each and each.frames for each in back["sound"]] == [8_000, None, 8_000]
    kept.to_parquet(tmp_path / "frame.parquet")
    arrow = pd.read_parquet(tmp_path / "frame.parquet", dtype_backend="pyarrow")
    assert [each and each.frames for each in arrow["audio"].astype("recording")] == [8_000, None, 8_000]


def test_another_tools_column_of_our_name_is_missing(tmp_path) -> None:
    """Whatever it is made of; the rest of the frame is read."""
    kind = RecordingType(pa.int64())
    column = pa.ExtensionArray.from_storage(kind, pa.array([1, None]))
    pa.parquet.write_table(pa.table({"audio": column, "number": [1, 2]}), tmp_path / "frame.parquet")
    with pytest.warns(UserWarning, match="1 of 1 recordings"):
        back = pd.read_parquet(tmp_path / "frame.parquet")
    assert back["audio"].tolist() == [None, None]
    assert back["number"].tolist() == [1, 2]


def test_a_path_that_is_no_text_costs_its_row_alone(kept, wav, tmp_path) -> None:
    """Arrow holds no half characters."""
    odd = tmp_path / "caf\udce9.wav"
    odd.write_bytes(wav)
    kept.loc[0, "audio"] = Recording.from_file(odd, session_id="s1")
    kept.to_parquet(tmp_path / "frame.parquet")
    with pytest.warns(UserWarning, match="1 of 2"):
        back = pd.read_parquet(tmp_path / "frame.parquet")
    assert back["audio"].isna().tolist() == [True, True, False]
