"""Folders of sound with a table, written and read back; `datasets` reads them as they are."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from exports import IDS, export

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder


@pytest.mark.core
@pytest.mark.parametrize("metadata", ["csv", "jsonl", "parquet"])
def test_what_goes_out_comes_back(frame, tmp_path, metadata) -> None:
    """Ids, labels and dtypes in the order they had, and the sound byte by byte."""
    if metadata == "parquet":
        pytest.importorskip("pyarrow")
    back = read_audiofolder(export(frame, tmp_path / "calls", metadata=metadata))
    kept = ["session_id", "label", "score", "latency_s", "resolved", "started_at", "note"]
    pd.testing.assert_frame_equal(back[kept], frame[kept].iloc[:-1], check_categorical=False)
    assert back["recording_status"].tolist() == ["downloaded"] * len(IDS)
    for ours, theirs in zip(back["audio"], frame["audio"], strict=False):
        assert ours.encoded() == theirs.encoded()
    assert back["audio"][0].session_id == "007"
    assert "recording_url" not in back.columns
    assert "secret" not in "".join(path.read_text(errors="replace") for path in (tmp_path / "calls").glob("*.*"))


def test_datasets_reads_the_folder_as_it_is(frame, tmp_path, monkeypatch) -> None:
    """All rows in one split, with labels and numbers; decoding needs torchcodec and is left out here."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    datasets = pytest.importorskip("datasets")  # needs pyarrow, so that Parquet works too
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "hf"))
    folder = export(frame, tmp_path / "calls", format="wav", sample_rate=16_000, metadata="parquet")
    loaded = datasets.load_dataset("audiofolder", data_dir=str(folder), streaming=True)
    assert list(loaded) == ["train"]
    # One step below the public iterator, which makes a decoder of torchcodec first.
    rows = [row for _, row in loaded["train"]._ex_iterable]
    assert [row["session_id"] for row in rows] == IDS
    assert [row["score"] for row in rows] == [1, None, 3, 4, 5, 6]
    assert [row["label"] for row in rows] == frame["label"].tolist()[:-1]
    assert [sf.info(row["audio"]).samplerate for row in rows] == [16_000] * len(IDS)


@pytest.mark.core
def test_going_on_writes_only_what_is_not_there(frame, tmp_path) -> None:
    """Whole files stay as they are; a broken one is written again."""
    folder = export(frame, tmp_path / "calls", sample_rate=16_000)
    files = sorted((folder / "audio").iterdir())
    for file in files:
        os.utime(file, (1, 1))
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:100])
    export(frame, folder, sample_rate=16_000)
    written = [file.name for file in files if file.stat().st_mtime > 1]
    assert written == [files[0].name, files[1].name]
    with pytest.raises(errors.ConfigurationError, match="other options"):
        to_audiofolder(frame, folder, progress=False)


@pytest.mark.core
def test_sound_is_fetched_where_the_frame_has_none(tmp_path) -> None:
    """Straight from the service, dropped once written; a session in two rows has one file."""
    with demo.hub() as hub:
        ids = hub.sessions["session_id"].tolist()[:2]
        calls = pd.DataFrame({"call": [*ids, ids[0]], "label": ["a", "b", "c"]})
        folder = to_audiofolder(calls, tmp_path / "calls", session="call", settings=hub.settings, progress=False)
        assert hub.requests.count("api") == 2
    back = read_audiofolder(folder)
    assert back[["call", "label"]].to_numpy().tolist() == calls.to_numpy().tolist()
    assert len(list((folder / "audio").iterdir())) == 2


@pytest.mark.core
@pytest.mark.parametrize(
    "name", ["../secret.wav", "/etc/passwd", "audio/../../secret.wav", "..\\secret.wav", "C:/secret.wav", "link/x.wav"]
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, name) -> None:
    """The whole folder is: a table that does so once is not to be trusted at all."""
    folder = tmp_path / "calls"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "metadata.csv").write_text(f"file_name,session_id\n{name},a\n")
    with pytest.raises(errors.ConfigurationError, match="no file below it"):
        read_audiofolder(folder)


@pytest.mark.core
def test_folders_that_are_no_export_are_one_error(frame, tmp_path) -> None:
    """Whether read from or written to; nothing of somebody else's is touched."""
    with pytest.raises(errors.ConfigurationError, match="no folder that to_audiofolder has finished"):
        read_audiofolder(tmp_path / "nowhere")
    (tmp_path / "metadata.csv").write_text("a,b\n1,2\n")
    with pytest.raises(errors.ConfigurationError, match="no column 'file_name'"):
        read_audiofolder(tmp_path)
    (tmp_path / "metadata.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(errors.ConfigurationError, match="can't be read"):
        read_audiofolder(tmp_path)
    with pytest.raises(errors.ConfigurationError, match="something else in it"):
        to_audiofolder(frame, tmp_path, progress=False)
    mark = tmp_path / "new"
    mark.mkdir()
    for damaged in ({"version": 99}, {"version": 1, "dtypes": [1]}):
        (mark / ".kataven-export.json").write_text(json.dumps(damaged))
        with pytest.raises(errors.ConfigurationError, match="another version, or its"):
            to_audiofolder(frame, mark, progress=False)


@pytest.mark.core
def test_files_that_are_gone_or_broken_are_their_rows_error(frame, tmp_path) -> None:
    """The rest comes back."""
    folder = export(frame, tmp_path / "calls")
    (folder / "audio" / "007.wav").unlink()
    (folder / "audio" / "agent_01.wav").write_bytes(b"<html>")
    back = read_audiofolder(folder)
    assert back["recording_status"].tolist() == ["failed", "corrupt", *["downloaded"] * 4]
    assert back["recording_error"].notna().tolist() == [True, True, *[False] * 4]


@pytest.mark.core
@pytest.mark.parametrize(
    "options",
    [{"format": "aac"}, {"channels": "left"}, {"metadata": "xlsx"}, {"sample_rate": 16_000.0}, {"sample_rate": 10}],
)
def test_options_that_cant_work_are_one_error(frame, tmp_path, options) -> None:
    """Before anything is written."""
    with pytest.raises(errors.ConfigurationError):
        to_audiofolder(frame, tmp_path / "calls", progress=False, **options)
    assert not (tmp_path / "calls").exists()
    with pytest.raises(errors.FrameError, match="file_name"):
        to_audiofolder(frame.assign(file_name="x"), tmp_path / "calls", progress=False)


@pytest.mark.core
def test_a_place_that_cant_be_written_is_a_store_error(frame, tmp_path) -> None:
    """A file stands where the folder should be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.StoreError, match="can't be written"):
        to_audiofolder(frame, tmp_path / "file" / "calls", progress=False)


@pytest.mark.core
def test_going_on_asks_for_nothing_that_is_there(tmp_path) -> None:
    """Neither a URL nor a byte; what is broken on the disk is, also where a killed process left half a line."""
    with demo.hub() as hub:
        calls = hub.sessions.iloc[:3][["session_id"]]
        folder = to_audiofolder(calls, tmp_path / "calls", settings=hub.settings, progress=False)
        first = read_audiofolder(folder)
        hub.requests.clear()
        to_audiofolder(calls, folder, settings=hub.settings, progress=False)
        assert hub.requests.count() == 0
        with (folder / ".kataven-written.jsonl").open("ab") as file:
            file.write(b'{"name": "half')
        broken = folder / "audio" / f"{calls['session_id'][1]}.wav"
        broken.write_bytes(broken.read_bytes()[:-10])
        to_audiofolder(calls, folder, settings=hub.settings, progress=False)
        assert hub.requests.count("api") == 1
        to_audiofolder(calls, folder, settings=hub.settings, progress=False)
        assert hub.requests.count("api") == 1
    pd.testing.assert_frame_equal(read_audiofolder(folder).drop(columns="audio"), first.drop(columns="audio"))


def test_a_store_takes_files_as_recorded_and_none_that_were_converted(hub, tmp_path) -> None:
    """A folder that holds the sound as it came fills a store; half a call of another rate is no recording."""
    calls = kn.audio(pd.DataFrame({"session_id": ["s0", "s1"]}), settings=hub.settings, progress=False)
    options = {"settings": hub.settings, "progress": False}
    plain = kn.read_audiofolder(kn.to_audiofolder(calls, tmp_path / "plain", **options))
    split = kn.read_audiofolder(kn.to_audiofolder(calls, tmp_path / "split", channels="split", **options))
    hub.requests.clear()
    with pytest.warns(UserWarning, match="2 of 2 sessions stays in the frame"):
        kept = kn.audio(split, store=tmp_path / "none", **options)
    assert [each.path.is_relative_to(tmp_path / "split") for each in kept["audio"]] == [True] * 4
    assert kn.Store(tmp_path / "none").load() == {}
    stored = kn.audio(plain, store=tmp_path / "calls", **options)
    assert [each.path.is_relative_to(tmp_path / "calls") for each in stored["audio"]] == [True] * 2
    assert stored["audio"][0].encoded() == calls["audio"][0].encoded()
    assert hub.requests.count() == 0


def test_datasets_makes_one_channel_of_two_and_two_files_of_a_split_export(tmp_path, monkeypatch) -> None:
    """As the docstring says: its decoder takes the mean, here with a decoder of ours below it."""
    datasets = pytest.importorskip("datasets")
    below = ModuleType("torchcodec.decoders")
    below.AudioDecoder = Decoder
    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", below)
    monkeypatch.delitem(sys.modules, "datasets.features._torchcodec", raising=False)
    monkeypatch.setattr(datasets.config, "TORCHCODEC_AVAILABLE", True)
    calls = pd.DataFrame({"session_id": ["a"], "audio": [kn.Recording.from_samples([[0.5, -0.25]] * 800, 8_000)]})
    (file,) = (to_audiofolder(calls, tmp_path / "calls", progress=False) / "audio").iterdir()
    for channels in (None, 2):
        feature = datasets.Audio(num_channels=channels)
        decoded = feature.decode_example({"path": str(file), "bytes": None})
        assert decoded["array"].tolist() == [0.125] * 800
        assert decoded.get_all_samples().data.shape == (2, 800)
    parts = sorted((to_audiofolder(calls, tmp_path / "split", channels="split", progress=False) / "audio").iterdir())
    found = [datasets.Audio().decode_example({"path": str(each), "bytes": None})["array"][0] for each in parts]
    assert found == [0.5, -0.25]
    assert read_audiofolder(tmp_path / "calls")["audio"][0].samples[0].tolist() == [0.5, -0.25]


class Decoder:
    """What `datasets` needs of torchcodec: all samples of a file, by channel."""

    def __init__(self, source: str, **_options: object) -> None:
        self._source = source
        self.metadata = SimpleNamespace()

    def get_all_samples(self) -> SimpleNamespace:
        """Return the samples as a tensor would hold them."""

        class Tensor(np.ndarray):
            """An array with the two methods of a tensor that are called."""

            def cpu(self) -> Tensor:
                return self

            def numpy(self) -> np.ndarray:
                return np.asarray(self)

        samples, _ = sf.read(self._source, dtype="float32", always_2d=True)
        return SimpleNamespace(data=samples.T.view(Tensor))
