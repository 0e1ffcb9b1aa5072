"""Sound made small enough to draw."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_calls import RATE

from kataven_notebook import plots
from kataven_notebook.sound.recording import Recording


def test_the_waveform_shows_a_single_loud_sample_of_a_long_call() -> None:
    """Decimation by peaks keeps extremes, and draws no more than the figure can show."""
    samples = np.zeros((40 * 60 * RATE // 10, 2), dtype=np.float32)
    samples[123_456, 1] = 0.8
    ax = plots.waveform(Recording.from_samples(samples, RATE))
    first, second = (band.get_paths()[0].vertices for band in ax.collections)
    assert len(second) < 5_000
    assert second[:, 1].max() == pytest.approx(-2.2 + 1)
    assert first[:, 1].max() == 0
    assert ax.get_ylabel() == "amplitude, ±0.8 of full scale"


def test_the_spectrogram_puts_a_tone_where_it_belongs() -> None:
    """1 kHz at half of full scale: -6 dBFS in the right row, for short and long sound."""
    for seconds in (0.5, 120):
        tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(round(seconds * RATE)) / RATE)
        ax = plots.spectrogram(Recording.from_samples(np.column_stack([0 * tone, tone]), RATE), channel=1)
        (image,) = ax.images
        level = np.asarray(image.get_array())
        assert level.shape[1] <= 1_600
        row = np.argmax(level.mean(axis=1))
        assert row / (level.shape[0] - 1) * 4 == pytest.approx(1.0, abs=0.05)
        assert level[row].mean() == pytest.approx(-6.02, abs=0.5)
        assert image.get_extent() == [0.0, seconds, 0.0, 4.0]
    assert ax.figure.axes[1].get_ylabel() == "level (dBFS)"


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.5])
def test_the_spectrogram_of_silence_is_dark(level: float) -> None:
    """The scale always spans 80 dB and begins at -120 dBFS or above, so that nothing glows without sound."""
    tone = level * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    (image,) = plots.spectrogram(Recording.from_samples(tone, RATE)).images
    low, high = image.get_clim()
    assert high - low == pytest.approx(80)
    assert low >= -120
    loudest = np.asarray(image.get_array()).max()
    assert loudest == pytest.approx(high) if level == 0.5 else loudest < high - 20
