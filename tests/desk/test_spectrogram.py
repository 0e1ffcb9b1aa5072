"""The spectrogram of a part of a call."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from pages import sound

from kataven_notebook.desk.spectrogram import FLOOR_DB, ROWS, STEP_DB, spectrogram
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def _tones(*parts: tuple[float, float], sample_rate: int = 8000) -> Recording:
    """Tones one after the other, each of so many Hz and seconds; 0 Hz is silence."""
    waves = [np.sin(2 * np.pi * hz * np.arange(round(seconds * sample_rate)) / sample_rate) for hz, seconds in parts]
    return Recording.from_samples(np.concatenate(waves), sample_rate)


@pytest.mark.parametrize(("sample_rate", "top_hz"), [(8000, 4000.0), (11025, 5512.5), (44100, 8000.0)])
def test_a_tone_stands_at_its_time_and_frequency(sample_rate: int, top_hz: float) -> None:
    """Silence before it and after, at rates whose windows are no round numbers; full scale is about 0 dB."""
    recording = _tones((0, 2.0), (1500, 2.0), (0, 2.0), sample_rate=sample_rate)
    found = spectrogram(recording, 0.0, 6.0, columns=60)
    assert found.top_hz == top_hz
    loudest = found.levels[0].max(axis=0)
    assert np.flatnonzero(loudest > 200).tolist() == list(range(20, 40))
    row = ROWS - 1 - found.levels[0, :, 30].argmax()
    assert row * top_hz / ROWS == pytest.approx(1500, abs=1.5 * top_hz / ROWS)
    assert FLOOR_DB + STEP_DB * loudest[30] == pytest.approx(0, abs=2)


def test_a_long_part_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns on the border of two blocks miss nothing."""
    recording = _tones((400, 100.0), (1200, 80.0))
    whole = spectrogram(recording, 10.0, 110.0, columns=500).levels
    monkeypatch.setattr("kataven_notebook.desk.spectrogram._AT_ONCE_S", 1.0)
    assert np.array_equal(spectrogram(recording, 10.0, 110.0, columns=500).levels, whole)


def test_channels_apart_and_nothing_beyond_the_ends() -> None:
    """The page asks with a margin around what is in sight."""
    samples = np.zeros((8000, 2), np.float32)
    samples[:, 1] = np.sin(np.arange(8000))
    levels = spectrogram(Recording.from_samples(samples, 8000), 0.0, 2.0, columns=20).levels
    assert levels[0].max() == 0
    assert levels[1, :, 2:8].max(axis=0).min() > 200
    assert levels[1, :, 12:].max() == 0


def test_damaged_samples_and_single_frames_are_bounded() -> None:
    """Float files hold NaN and infinity; a part may be shorter than a sample."""
    samples = np.sin(np.arange(800)).astype(np.float32)
    samples[100:120] = np.nan
    recording = Recording.from_samples(samples, 8000)
    assert spectrogram(recording, 0.0, 0.1, columns=5000).levels.max() > 200
    assert spectrogram(recording, 0.05, 0.0502, columns=3).levels.shape == (1, ROWS, 3)
    with pytest.raises(ValueError, match="nothing lies between"):
        spectrogram(recording, 0.5, 0.5, columns=5)


def test_five_minutes_of_stereo_are_quick_and_an_hour_is_held_in_blocks() -> None:
    """The page shows it within 0.3 s; an hour as float32 would take 115 MB a channel."""
    recording = sound(300, channels=2)
    started = time.process_time()
    spectrogram(recording, 0.0, 300.0, columns=1000)
    assert time.process_time() - started < 1.0, "0.08 s on an idle machine"
    hour = sound(3600, channels=1)
    tracemalloc.start()
    spectrogram(hour, 0.0, 3600.0, columns=1000)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 3600 * 8000 * 4 / 3
