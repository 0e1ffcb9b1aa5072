"""Out to other tools and back: folders that `datasets` reads, and RTTM that pyannote reads."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import Recording, demo, errors
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder
from kataven_notebook.exchange.rttm import to_rttm

IDS = ["007", "agent_01", "test: call 7", "ümläut", "con", "AGENT_02"]


def sound(seconds: float = 0.5, channels: int = 2, kind: str = "WAV") -> Recording:
    """A tone on each channel, of another pitch."""
    time_s = np.arange(round(8_000 * seconds)) / 8_000
    tones = [0.5 * np.sin(2 * np.pi * 200 * (number + 1) * time_s) for number in range(channels)]
    file = io.BytesIO()
    sf.write(file, np.column_stack(tones), 8_000, format=kind)
    return Recording.from_bytes(file.getvalue())


@pytest.fixture
def frame() -> pd.DataFrame:
    """Sessions with awkward ids, labels of every dtype, and one row without sound."""
    count = len(IDS) + 1
    return pd.DataFrame(
        {
            "session_id": [*IDS, "silent"],
            "label": pd.Categorical(["good", "bad"] * (count // 2) + ["good"]),
            "score": pd.array([1, None, 3, 4, 5, 6, 7], dtype="Int64"),
            "latency_s": np.linspace(0.1, 0.9, count),
            "resolved": pd.array([True, False, None] * 2 + [True], dtype="boolean"),
            "started_at": pd.date_range("2026-01-01", periods=count, tz="UTC").as_unit("us"),
            "note": ['a "quoted", thing', "two\nlines", "ü", "NA", "x", "y", "z"],
            "audio": [*[sound(0.2 + number / 10) for number in range(len(IDS))], None],
            "recording_url": ["https://b.s3.amazonaws.com/x?X-Amz-Signature=secret"] * count,
        }
    )


def export(frame: pd.DataFrame, folder, **options):
    """Export a frame of which one row has no sound."""
    with pytest.warns(UserWarning, match="1 of 7 sessions have no sound"):
        return to_audiofolder(frame, folder, progress=False, **options)


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


@pytest.mark.core
def test_file_names_are_safe_for_any_id(frame, tmp_path) -> None:
    """No reserved names, no letters that a file system lacks, no words that mean a split of the data."""
    folder = export(frame, tmp_path / "calls")
    names = sorted(path.name for path in (folder / "audio").iterdir())
    assert "007.wav" in names
    assert all(name.isascii() and " " not in name and ":" not in name for name in names)
    assert not any(name.startswith("con.") or "test" in name for name in names)
    assert len(names) == len(IDS)


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
def test_sound_is_converted_as_asked(frame, tmp_path) -> None:
    """Sample rate, mono and a file a channel; lengths stay."""
    mono = read_audiofolder(export(frame, tmp_path / "mono", format="flac", sample_rate=16_000, channels="mono"))
    assert {(r.format, r.sample_rate, r.channels) for r in mono["audio"]} == {("flac", 16_000, 1)}
    assert mono["audio"][1].duration_s == pytest.approx(frame["audio"][1].duration_s, abs=0.001)
    split = read_audiofolder(export(frame, tmp_path / "split", channels="split"))
    assert split["channel"].tolist() == [0, 1] * len(IDS)
    assert split["session_id"].tolist() == [each for each in IDS for _ in range(2)]
    for channel in (0, 1):
        samples = split["audio"][channel].samples[:, 0]
        peak_hz = np.argmax(np.abs(np.fft.rfft(samples))) * 8_000 / len(samples)
        assert peak_hz == pytest.approx(200 * (channel + 1), abs=10)


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
    (mark / ".kataven-export.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(errors.ConfigurationError, match="another version"):
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
    with pytest.raises(errors.StoreError, match="can't be written"):
        to_rttm(pd.DataFrame(columns=["session_id", "channel", "start_s", "end_s"]), tmp_path / "file" / "x.rttm")


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


@pytest.mark.core
@pytest.mark.parametrize("options", [{}, {"format": "flac"}, {"channels": "split"}])
def test_sound_that_has_changed_is_written_again(tmp_path, options) -> None:
    """Also where it is as long as before."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [sound(0.5)]})
    to_audiofolder(calls, tmp_path / "calls", progress=False, **options)
    quiet = sound(0.5).samples / 4
    calls["audio"] = [Recording.from_samples(quiet, 8_000)]
    back = read_audiofolder(to_audiofolder(calls, tmp_path / "calls", progress=False, **options))
    np.testing.assert_allclose(back["audio"][0].samples[:, 0], quiet[:, 0], atol=1e-3)


@pytest.mark.core
def test_no_two_sessions_share_a_file(tmp_path) -> None:
    """Not a channel of one and the whole of another, not two that case alone tells apart, not one without an id."""
    ids = ["a", "a_0", "A_0", "a_1", None]
    sounds = [sound(0.1 + number / 10, channels=2 if each == "a" else 1) for number, each in enumerate(ids)]
    calls = pd.DataFrame({"session_id": ids, "audio": sounds})
    for options in ({}, {"channels": "split"}, {"format": "flac", "channels": "split"}):
        folder = to_audiofolder(calls, tmp_path / str(len(options)), progress=False, **options)
        names = [file.name.casefold() for file in (folder / "audio").iterdir()]
        back = read_audiofolder(folder)
        assert len(set(names)) == len(names) == len(back)
        lengths = back.assign(frames=[each.frames for each in back["audio"]]).groupby("session_id", dropna=False)[
            "frames"
        ]
        assert lengths.nunique().eq(1).all()
        assert lengths.first().to_dict() == {
            each: recording.frames for each, recording in zip(ids, sounds, strict=True) if each
        } | {key: sounds[-1].frames for key in lengths.first().index if not isinstance(key, str)}


@pytest.mark.core
def test_rates_that_a_codec_cant_hold_are_refused(tmp_path) -> None:
    """Beforehand: one codec takes the whole process along."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [sound()]})
    for kind, rate in (("ogg", 384_000), ("mp3", 3_000)):
        with pytest.raises(errors.ConfigurationError, match=f"{kind} can't hold"):
            to_audiofolder(calls, tmp_path / kind, format=kind, sample_rate=rate, progress=False)
    fast = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples(np.zeros(2_100), 210_000)]})
    with pytest.warns(UserWarning, match="ogg can't hold 210,000 Hz"):
        to_audiofolder(fast, tmp_path / "fast", format="ogg", progress=False)


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
    """Two columns of one name, or kinds that Parquet does not mix; half a character is replaced."""
    calls = pd.DataFrame({"session_id": ["a", "b"], "mixed": [1, "x"], "audio": [sound()] * 2})
    twice = pd.concat([calls, calls[["mixed"]]], axis=1)
    with pytest.raises(errors.FrameError, match="several columns 'mixed'"):
        to_audiofolder(twice, tmp_path / "twice", progress=False)
    for metadata in ("csv", "jsonl"):
        half = calls.assign(mixed=pd.Series(["\ud800", "x"], dtype=object))
        back = read_audiofolder(to_audiofolder(half, tmp_path / metadata, metadata=metadata, progress=False))
        assert back["mixed"].tolist() == ["?", "x"]
    pytest.importorskip("pyarrow")
    with pytest.raises(errors.ConfigurationError, match="metadata='jsonl'"):
        to_audiofolder(calls, tmp_path / "mixed", metadata="parquet", progress=False)


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
    with pytest.raises(errors.FrameError, match="not list"):
        to_rttm([talk])
