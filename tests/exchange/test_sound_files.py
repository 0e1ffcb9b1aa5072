"""Recordings as files: names, conversion, and what is there already."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exports import IDS, export, sound

from kataven_notebook import Recording, errors
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder


@pytest.mark.core
def test_file_names_are_safe_for_any_id(frame, tmp_path) -> None:
    """No reserved names, no letters that a file system lacks, no words that mean a split of the data."""
    folder = export(frame, tmp_path / "calls")
    names = sorted(path.name for path in (folder / "audio").iterdir())
    assert "007.wav" in names
    assert all(name.isascii() and " " not in name and ":" not in name for name in names)
    assert not any(name.startswith("con.") or "test" in name for name in names)
    assert len(names) == len(IDS)


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
def test_sound_above_full_scale_is_limited(tmp_path) -> None:
    """As an integer it would wrap around, from the loudest to the other end."""
    loud = Recording.from_samples(np.array([[1.5], [-1.5], [0.5]] * 400), 8_000)
    frame = pd.DataFrame({"session_id": ["a"], "audio": [loud]})
    back = read_audiofolder(to_audiofolder(frame, tmp_path, format="flac", progress=False))["audio"][0].samples
    np.testing.assert_allclose(back[:3, 0], [1.0, -1.0, 0.5], atol=1e-4)
