"""The peaks of a waveform."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from pages import sound

from kataven_notebook.desk.peaks import frames_per_bin, peak_blocks
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100])
def test_peaks_cover_the_sound_and_find_its_loudest_frame(sample_rate: int) -> None:
    """No drift at rates that a hundredth of a second does not divide, across block borders."""
    samples = np.zeros((sample_rate * 3, 2), dtype=np.float32)
    samples[round(sample_rate * 2.5), 1] = -1.0
    recording = Recording.from_samples(samples, sample_rate)
    peaks = np.concatenate([block.peaks for block in peak_blocks(recording, block_s=0.7)], axis=1)
    size = frames_per_bin(sample_rate)
    assert peaks.shape == (2, -(-len(samples) // size))
    assert peaks[0].tolist() == [1] * peaks.shape[1], "silence is known, and 0 means that nothing is"
    assert peaks[1].argmax() == round(sample_rate * 2.5) // size


def test_peaks_of_an_hour_never_hold_its_samples() -> None:
    """At most a block of 30 s is there at a time: far below an hour as float64, or float32."""
    recording = sound(3600, channels=1)
    tracemalloc.start()
    for _ in peak_blocks(recording):
        pass
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 3600 * 8000 * 4 / 10
