"""Loudness is that of BS.1770, and of all that is on the channel."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from levels import RATE, noise, quality, tone, voiced

pytestmark = pytest.mark.core


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000, 96_000])
def test_a_full_scale_sine_has_minus_three_lufs(rate: int) -> None:
    """BS.1770: 997 Hz at 0 dBFS in one channel is -3.01 LKFS, at any rate, and level moves it one to one."""
    assert quality(tone(3, 0, rate=rate), rate=rate).lufs == pytest.approx(-3.01, abs=0.2)
    assert quality(tone(3, -20, rate=rate), rate=rate).lufs == pytest.approx(-23.01, abs=0.2)


def test_loudness_in_blocks_is_what_the_library_finds_in_the_whole() -> None:
    """Filters and gates go over the blocks' borders; both gates matter in this signal."""
    parts = [tone(3, -10), noise(4, -26), np.zeros(2 * RATE), noise(3, -90), tone(2, -50)]
    samples = np.concatenate(parts).astype(np.float32)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64))
    assert quality(samples).lufs == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (tone(0.39, -10), "shorter than 0.4 s"),
        (np.zeros(RATE), "never louder than -70 LUFS"),
        (np.full(RATE, 0.3), "never louder than -70 LUFS"),
    ],
)
def test_loudness_that_is_not_there_is_missing(samples: np.ndarray, reason: str) -> None:
    """Too short, silent, or a constant offset: NaN and the reason."""
    found = quality(samples)
    assert np.isnan(found.lufs)
    assert dict(found.reasons)["lufs"] == reason


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_loudness_is_that_of_the_library_at_every_rate(rate: int) -> None:
    """To a hundredth, on sound with pauses."""
    samples = np.concatenate([tone(2, -15, rate=rate), np.zeros(rate), tone(3, -30, hz=300, rate=rate)])
    expected = pyloudnorm.Meter(rate).integrated_loudness(samples)
    assert quality(samples, rate=rate).lufs == pytest.approx(expected, abs=0.01)


def test_what_is_no_speech_counts_from_ten_below_it() -> None:
    """Music as loud as speech moves it, noise far below doesn't."""
    speech = np.concatenate([voiced(20), np.zeros(20 * RATE)])
    gap = np.arange(len(speech)) >= 20 * RATE
    alone = quality(speech).lufs
    faint = quality(speech + gap * noise(40, -65)).lufs
    loud = quality(speech + gap * tone(40, -10, hz=440)).lufs
    assert faint == pytest.approx(alone, abs=0.3)
    assert loud > alone + 3
