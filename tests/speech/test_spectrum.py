"""Windows, parts and bands: the same whatever blocks the sound comes in."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.speech.spectrum import (
    BAND_EDGES_HZ,
    CONTEXT,
    RATE,
    WINDOW,
    band_power,
    packed,
    parts,
    power_spectra,
    unpacked,
    windows_of,
)

pytestmark = pytest.mark.core


def bands_of(sound: np.ndarray, sample_rate: int = RATE) -> np.ndarray:
    """Return the mean square per band of one channel at 16 kHz, averaged over time."""
    (part,) = parts([sound[:, None].astype(np.float32)], RATE, 1)
    return band_power(power_spectra(windows_of(part[0])), sample_rate)[8:-8].mean(axis=0)


def test_a_tone_is_in_its_band_at_its_level() -> None:
    """1.1 kHz at an amplitude of 0.1 has a mean square of 0.005, all of it from 1,000 to 1,250 Hz."""
    tone = 0.1 * np.sin(2 * np.pi * 1_125 * np.arange(RATE) / RATE)
    bands = bands_of(tone)
    assert BAND_EDGES_HZ[np.argmax(bands)] == 1_000
    assert bands.sum() == pytest.approx(0.005, rel=0.02)


def test_white_noise_fills_the_bands_with_its_mean_square() -> None:
    """Hum of 50 Hz is at least 10 dB down: a window of 16 ms can't cut it off more sharply."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(8 * RATE)
    assert bands_of(noise).sum() == pytest.approx(0.01, rel=0.05)
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE)
    assert bands_of(hum).sum() < 0.1 * 0.005


def test_bands_that_the_rate_cannot_fill_are_left_out() -> None:
    """8 kHz has those up to 4 kHz; the lowest rates keep one."""
    silence = np.zeros(RATE)
    assert len(bands_of(silence, 8_000)) == BAND_EDGES_HZ.index(4_000)
    assert len(bands_of(silence, 16_000)) == len(BAND_EDGES_HZ) - 1
    assert len(bands_of(silence, 150)) == 1


@pytest.mark.parametrize("sizes", [(RATE * 20,), (1, 7, RATE * 17, RATE * 3 - 8), (RATE,) * 20])
def test_parts_are_the_same_whatever_the_blocks_were(sizes: tuple[int, ...]) -> None:
    """Whole windows behind 64 samples of context, which repeat the end of the part before."""
    sound = 0.1 * np.random.default_rng(0).standard_normal((RATE * 20, 2)).astype(np.float32)
    expected = list(parts([sound], RATE, 2))
    found = list(parts(np.split(sound, np.cumsum(sizes)[:-1]), RATE, 2))
    assert [part.shape for part in found] == [(2, CONTEXT + 512 * WINDOW), (2, CONTEXT + 113 * WINDOW)]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    # Each part has its own offset taken out, which steps from sample to sample don't show.
    repeated = np.diff(found[1][:, :CONTEXT]), np.diff(found[0][:, -CONTEXT:])
    np.testing.assert_allclose(*repeated, atol=1e-6)


def test_samples_that_no_converter_gives_are_brought_into_range() -> None:
    """NaN is silence, infinity and anything beyond full scale is full scale."""
    sound = np.array([np.nan, np.inf, -np.inf, 3.0, -3.0, 0.0] * 512, np.float32)[:, None]
    mended = np.array([0.0, 1.0, -1.0, 1.0, -1.0, 0.0] * 512, np.float32)[:, None]
    for one, other in zip(parts([sound], RATE, 1), parts([mended], RATE, 1), strict=True):
        np.testing.assert_array_equal(one, other)


def test_packing_keeps_levels_to_a_hundredth_of_a_decibel() -> None:
    """From full scale to 120 dB below it."""
    power = (10 ** -np.linspace(0, 12, 200)).astype(np.float32)
    np.testing.assert_allclose(10 * np.log10(unpacked(packed(power)) / power), 0, atol=0.01)
