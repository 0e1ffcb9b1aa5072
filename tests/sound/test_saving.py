"""`Recording.save`: what is written, in which width, and what is left alone."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile as sf
from tones import RATE, encoded, tone

from kataven_notebook import Recording
from kataven_notebook.errors import ConfigurationError, RecordingCorrupt, StoreError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def whole(source: bytes | Path) -> np.ndarray:
    """The samples as the file's whole numbers, 32 bits wide."""
    return sf.read(io.BytesIO(source) if isinstance(source, bytes) else source, dtype="int32", always_2d=True)[0]


NOISE = np.random.default_rng(0).integers(-(1 << 31), (1 << 31) - 1, (RATE, 2), np.int32)


@pytest.mark.parametrize(
    ("container", "subtype", "ending", "written"),
    [
        ("FLAC", "PCM_16", "wav", "PCM_16"),
        ("WAV", "PCM_16", "flac", "PCM_16"),
        ("FLAC", "PCM_24", "wav", "PCM_24"),
        ("AIFF", "PCM_24", "flac", "PCM_24"),
        ("AU", "PCM_S8", "wav", "PCM_U8"),
        ("WAV", "PCM_U8", "flac", "PCM_S8"),
        ("AU", "ULAW", "wav", "PCM_16"),
        ("WAV", "ALAW", "flac", "PCM_16"),
    ],
)
def test_whole_numbers_stay_what_they_are_in_their_own_width(tmp_path, container, subtype, ending, written) -> None:
    """From one lossless format to another, and of a part, bit by bit."""
    data = encoded(NOISE, container, subtype)
    recording = Recording.from_bytes(data)
    saved = recording.save(tmp_path / f"call.{ending}")
    assert sf.info(saved).subtype == written
    assert np.array_equal(whole(saved), whole(data))
    part = recording.slice(0.25, 0.5).save(tmp_path / f"part.{ending}")
    assert sf.info(part).subtype == written
    assert np.array_equal(whole(part), whole(data)[2_000:4_000])


@pytest.mark.parametrize(
    ("container", "subtype", "name"),
    [
        ("WAV", "ULAW", "call.wav"),
        ("WAV", "PCM_24", "call.WAV"),
        ("MP3", "MPEG_LAYER_III", "call.mp3"),
        ("OGG", "OPUS", "call.opus"),
        ("OGG", "OPUS", "call.ogg"),
        ("OGG", "VORBIS", "call.oga"),
        ("AU", "ULAW", "call.au"),
        ("AIFF", "PCM_16", "call.aif"),
    ],
)
def test_what_is_such_a_file_already_is_written_unchanged(tmp_path, container, subtype, name) -> None:
    """Nothing is encoded a second time, and a format that can only be kept is kept."""
    data = encoded(tone(), container, subtype)
    assert Recording.from_bytes(data).save(tmp_path / name).read_bytes() == data


@pytest.mark.parametrize(
    ("container", "subtype", "written"),
    [
        ("WAV", "PCM_U8", "PCM_16"),
        ("WAV", "PCM_16", "PCM_16"),
        ("WAV", "ULAW", "PCM_16"),
        ("MP3", "MPEG_LAYER_III", "PCM_16"),
        ("WAV", "PCM_24", "PCM_24"),
        ("WAV", "FLOAT", "FLOAT"),
    ],
)
def test_what_was_computed_is_saved_in_the_width_of_its_recording(tmp_path, container, subtype, written) -> None:
    """In memory it is kept as floats; a pickle, as a frame's way to a worker, remembers."""
    recording = Recording.from_bytes(encoded(tone(), container, subtype))
    for number, made in enumerate((recording.mono(), recording.resample(16_000), recording.mono().slice(0, 1))):
        for each in (made, pickle.loads(pickle.dumps(made)), made.derived()):  # noqa: S301 - our own
            saved = each.save(tmp_path / f"{number}.wav")
            assert sf.info(saved).subtype == written
            half_a_step = 0 if written == "FLOAT" else 0.5001 / 2 ** (int(written[4:]) - 1)
            assert np.abs(Recording.from_file(saved).samples - each.samples).max() <= half_a_step


def test_samples_that_were_given_stay_floats_where_the_format_has_them(tmp_path) -> None:
    """FLAC has none: 24 bits."""
    made = Recording.from_samples(tone(), RATE)
    assert made.save(tmp_path / "a.wav").read_bytes() == made.encoded()
    assert sf.info(made.save(tmp_path / "a.flac")).subtype == "PCM_24"


def test_what_lies_beyond_full_scale_is_limited_and_what_is_no_number_is_silent(tmp_path) -> None:
    """It would wrap around, or end an encoder."""
    loud = Recording.from_bytes(encoded(np.array([[1.5], [-1.5], [np.nan], [0.5]] * 2_000, np.float32), "WAV", "FLOAT"))
    back = Recording.from_file(loud.save(tmp_path / "a.flac")).samples
    np.testing.assert_allclose(back[:4, 0], [1.0, -1.0, 0.0, 0.5], atol=1e-6)
    for name in ("a.mp3", "a.ogg", "a.opus"):
        assert np.isfinite(Recording.from_file(loud.save(tmp_path / name)).samples).all()


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "mp3"), ("a.ogg", "vorbis"), ("a.opus", "opus")])
def test_lossy_formats_hold_the_sound(tmp_path, name, codec) -> None:
    """Both channels, at their length."""
    recording = Recording.from_bytes(encoded(tone(), "WAV", "PCM_16"))
    back = Recording.from_file(recording.save(tmp_path / name))
    assert (back.codec, back.channels, back.sample_rate) == (codec, 2, RATE)
    assert back.duration_s == pytest.approx(2.0, abs=0.1)
    for channel, hz in enumerate((300, 500)):
        spectrum = np.abs(np.fft.rfft(back.samples[:RATE, channel]))
        assert spectrum.argmax() == pytest.approx(hz, abs=2)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("call.txt", r"ends in \.txt; choose one of \.wav, \.flac, \.ogg, \.opus, \.mp3, \.au$"),
        ("call", r"has no ending; choose one of \.wav"),
        (".wav", r"has no ending"),
        ("folder.wav", r"is a folder: name a file in it"),
        ("call.m4a", r"ends in \.m4a; choose"),
        ("a\0.wav", "is no path"),
        ("~nobody-here/a.wav", "is no path"),
    ],
)
def test_a_name_that_cant_be_written_is_one_sentence(tmp_path, name, says) -> None:
    """With the endings that can."""
    (tmp_path / "folder.wav").mkdir()
    recording = Recording.from_bytes(encoded(tone(0.1), "AU", "PCM_16"))
    with pytest.raises(ConfigurationError, match=says):
        recording.save(name if name.startswith("~") else os.path.join(tmp_path, name))  # noqa: PTH118 - a zero byte
    assert [each.name for each in tmp_path.iterdir()] == ["folder.wav"]


@pytest.mark.parametrize(
    ("channels", "rate", "name", "says"),
    [
        (1, 11_025, "a.opus", r"opus can't hold 11,025 Hz: resample\(\) it"),
        (1, 96_000, "a.mp3", "mp3 can't hold 96,000 Hz"),
        (3, 8_000, "a.mp3", r"more than 2 channels: .*channel\(\)"),
        (9, 8_000, "a.flac", "more than 8 channels"),
        (1, 384_000, "a.ogg", "ogg can't hold 384,000 Hz"),
    ],
)
def test_what_a_format_cant_hold_is_said_before_anything_is_written(tmp_path, channels, rate, name, says) -> None:
    """And what to do."""
    with pytest.raises(ConfigurationError, match=says):
        Recording.from_samples(np.zeros((rate // 10, channels)), rate).save(tmp_path / "new" / name)
    assert list(tmp_path.iterdir()) == []


def test_home_folders_that_are_missing_and_links_are_what_users_expect(tmp_path, monkeypatch) -> None:
    """A file that is there is replaced; a link leads to it and stays a link."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    recording = Recording.from_bytes(encoded(tone(), "WAV", "PCM_16"))
    saved = recording.save("~/clips/today/call.wav")
    assert saved == tmp_path / "clips" / "today" / "call.wav"
    short = recording.slice(0, 0.5)
    short.save(saved)
    assert Recording.from_file(saved).duration_s == 0.5
    if sys.platform == "win32":
        return
    assert saved.stat().st_mode & 0o777 == 0o600
    assert saved.parent.stat().st_mode & 0o777 == 0o700
    link = tmp_path / "link.wav"
    link.symlink_to(saved)
    recording.save(link)
    assert link.is_symlink()
    assert saved.read_bytes() == recording.encoded()
    assert [each.name for each in saved.parent.iterdir()] == ["call.wav"]


def test_a_recording_is_never_written_over_the_file_it_was_made_of(tmp_path) -> None:
    """By any name of that file, in any process; the whole recording is there already."""
    data = encoded(tone(), "FLAC", "PCM_16")
    path = tmp_path / "call.wav"  # the name says nothing of the format
    path.write_bytes(data)
    recording = Recording.from_file(path)
    same = tmp_path / "folder" / ".." / "call.wav"
    (tmp_path / "folder").mkdir()
    for each in (recording, recording.slice(0, 1), recording.mono().resample(16_000).slice(0, 1)):
        for made in (each, pickle.loads(pickle.dumps(each))):  # noqa: S301 - our own
            with pytest.raises(ConfigurationError, match="is the file that the recording is made of"):
                made.save(same)
    assert path.read_bytes() == data
    whole_one = tmp_path / "call.flac"
    whole_one.write_bytes(data)
    assert Recording.from_file(whole_one).save(whole_one) == whole_one
    assert whole_one.read_bytes() == data


def test_sound_that_is_damaged_or_gone_leaves_the_old_file_alone(tmp_path) -> None:
    """Cut short, changed since it was opened, and gone: another error each."""
    old = tmp_path / "old.wav"
    old.write_bytes(b"old")
    data = encoded(tone(10), "OGG", "VORBIS")
    cut = Recording.from_bytes(data[: data.rfind(b"OggS", 0, len(data) * 3 // 4)])
    lossy = tmp_path / "cut.mp3"
    lossy.write_bytes(encoded(tone(10), "MP3", "MPEG_LAYER_III"))
    changed = Recording.from_file(lossy)
    lossy.write_bytes(lossy.read_bytes()[:8_000])
    with pytest.raises(RecordingCorrupt, match="cut short"):
        changed.save(old)
    with pytest.raises(RecordingCorrupt, match="its file has 8,000 bytes"):
        changed.save(tmp_path / "other.mp3")
    lossy.unlink()
    for name in ("old.wav", "other.mp3"):
        with pytest.raises(FileNotFoundError):
            changed.save(tmp_path / name)
    assert cut.save(tmp_path / "whole pages.ogg")
    assert old.read_bytes() == b"old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["old.wav", "whole pages.ogg"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of file sizes")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.au"])
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path, name) -> None:
    """Whether bytes are copied or encoded; nothing half-written stays, and nothing is printed."""
    code = f"""
import pathlib, resource, kataven_notebook as kn
import numpy as np
rng = np.random.default_rng(0)
kn.Recording.from_samples(rng.uniform(-1, 1, 16_000 * 60), 16_000).save("long.wav")
long = kn.Recording.from_file("long.wav" if {name!r} != "a.au" else "long.au")
pathlib.Path({name!r}).write_bytes(b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    long.save({name!r})
except kn.errors.StoreError as error:
    print(error)
"""
    sf.write(tmp_path / "long.au", np.random.default_rng(0).uniform(-1, 1, 160_000), 16_000)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert f"{name} can't be written (File too large): what was there is as it was" in done.stdout, done.stderr
    assert done.stderr == ""
    assert (tmp_path / name).read_bytes() == b"old"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "long.au", "long.wav"])
    with pytest.raises(StoreError, match="can't be written"):
        Recording.from_file(tmp_path / "long.au").save(tmp_path / name / "below a file.wav")
