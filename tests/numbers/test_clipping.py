"""Samples that are cut off are counted, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from levels import RATE, noise, quality, tone

pytestmark = pytest.mark.core


def mulaw(samples: np.ndarray) -> np.ndarray:
    """Return what 8-bit mu-law leaves of `samples`: G.711's levels by its formula."""
    magnitude = np.minimum(np.abs(samples) * 32_768, 32_635).astype(int) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int)
    step = 2.0 ** (exponent - 4)
    level = (np.floor(magnitude / step) + 0.5) * step - 132
    return np.sign(samples) * level / 32_768


def speechlike(seconds: float, peak: float) -> np.ndarray:
    """Return noise in bursts, whose samples thin out towards the peak as those of speech do."""
    burst = np.sin(2 * np.pi * 3 * np.arange(round(seconds * RATE)) / RATE) ** 2
    samples = np.convolve(noise(seconds, 0), np.hanning(9), "same") * burst
    return peak * samples / np.abs(samples).max()


@pytest.mark.parametrize("ceiling", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("coder", [lambda x: x, mulaw], ids=["linear", "mulaw"])
def test_clipped_samples_are_counted(ceiling: float, coder: object) -> None:
    """At full scale and at a flat top below it, with and without companding, and nowhere else."""
    loud = speechlike(4, 3 * ceiling)
    samples = np.clip(loud, -ceiling, ceiling)
    samples[: 2 * RATE] *= 0.2
    cut = np.abs(loud) >= ceiling
    cut[: 2 * RATE] = False
    found = quality(coder(samples))  # type: ignore[operator] # parametrized functions
    assert found.clipping_ratio == pytest.approx(cut.mean(), rel=0.25)
    assert 2.0 <= found.clipped[0, 0] <= 2.3
    assert (found.clipped[:, 1] > found.clipped[:, 0]).all()


@pytest.mark.parametrize("peak", [0.95, 0.5, 0.1])
@pytest.mark.parametrize("coder", [lambda x: x, mulaw], ids=["linear", "mulaw"])
def test_sound_that_is_not_clipped_has_a_ratio_of_zero(peak: float, coder: object) -> None:
    """Speech-like sound and tones: their steps are not flat tops."""
    for samples in (speechlike(4, peak), tone(4, 20 * np.log10(peak), hz=123)):
        assert quality(coder(samples)).clipping_ratio == 0.0  # type: ignore[operator] # the same
        assert len(quality(coder(samples)).clipped) == 0  # type: ignore[operator] # the same


@pytest.mark.parametrize("full_scale", [1.0, 32_767 / 32_768, 32_124 / 32_768, 32_256 / 32_768])
def test_full_scale_in_a_row_is_clipping_and_once_is_not(full_scale: float) -> None:
    """Of linear PCM, mu-law and A-law: one cut is found however loud the rest is, single samples are not."""
    samples = speechlike(4, 0.7)
    samples[100::997] = full_scale
    assert quality(samples).clipping_ratio == 0.0
    samples[5_000:5_004] = full_scale
    assert quality(samples).clipping_ratio == pytest.approx(4 / len(samples))


def test_samples_beyond_full_scale_are_clipped_when_played() -> None:
    """Float sound above 1 counts as cut off."""
    assert quality(tone(1, 6, hz=100)).clipping_ratio == pytest.approx(2 / 3, abs=0.03)
