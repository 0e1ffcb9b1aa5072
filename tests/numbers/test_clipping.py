"""Samples that are cut off are counted, and no others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from levels import RATE, quality, speechlike, tone, voiced
from scipy.signal import butter, sosfilt

from kataven_notebook import demo

pytestmark = pytest.mark.core


def mulaw(samples: np.ndarray) -> np.ndarray:
    """Return what 8-bit mu-law leaves of `samples`: G.711's levels by its formula."""
    magnitude = np.minimum(np.abs(samples) * 32_768, 32_635).astype(int) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int)
    step = 2.0 ** (exponent - 4)
    level = (np.floor(magnitude / step) + 0.5) * step - 132
    return np.sign(samples) * level / 32_768


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


def resampled(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Return `samples` at another rate, a little quieter, as converters make them."""
    return 0.8 * soxr.resample(samples, rate, to)


def mp3(samples: np.ndarray) -> np.ndarray:
    """Return what MP3 leaves of `samples`."""
    coded = io.BytesIO()
    sf.write(coded, 0.8 * samples, RATE, format="MP3")
    return sf.read(io.BytesIO(coded.getvalue()))[0]


CODED = {
    "up": (RATE, lambda cut: (resampled(cut, RATE, 2 * RATE), 2 * RATE)),
    "down": (6 * RATE, lambda cut: (resampled(cut, 6 * RATE, RATE), RATE)),
    "quiet": (RATE, lambda cut: (0.02 * resampled(cut, RATE, 2 * RATE), 2 * RATE)),
    "mp3": (RATE, lambda cut: (mp3(cut), RATE)),
}


@pytest.mark.parametrize("share", [0.05, 0.12, 0.2])
@pytest.mark.parametrize(("native", "coder"), CODED.values(), ids=CODED)
def test_what_was_cut_off_before_coding_is_estimated(share: float, native: int, coder: object) -> None:
    """After resampling, at a lower level, after MP3: to a quarter of it, and the places are listed."""
    loud = soxr.resample(voiced(30), RATE, native)
    ceiling = np.quantile(np.abs(loud), 1 - share)
    samples, rate = coder(np.clip(loud, -ceiling, ceiling) / ceiling)  # type: ignore[operator] # parametrized
    found = quality(samples, rate=rate)
    assert found.clipping_ratio == pytest.approx(share, rel=0.25)
    assert len(found.clipped)
    assert "clipping_ratio" not in dict(found.reasons)


@pytest.mark.parametrize(("native", "coder"), CODED.values(), ids=CODED)
def test_sound_that_was_not_cut_off_stays_at_zero_when_coded(native: int, coder: object) -> None:
    """Loud, with round crests."""
    samples, rate = coder(soxr.resample(voiced(30), RATE, native))  # type: ignore[operator] # parametrized
    assert quality(samples, rate=rate).clipping_ratio == 0.0


def test_clipping_that_a_filter_hides_is_missing() -> None:
    """Behind a filter against hum flat crests lean, and no level is left to count at."""
    loud = voiced(30)
    cut = np.clip(loud, *np.quantile(loud, [0.08, 0.92]))
    found = quality(sosfilt(butter(2, 100, "high", fs=RATE, output="sos"), cut))
    assert np.isnan(found.clipping_ratio)
    assert "how much can't be told" in dict(found.reasons)["clipping_ratio"]


@pytest.mark.parametrize("hz", [(100.0,), (1000.0,), (697.0, 1209.0), (440.0, 480.0)])
def test_tones_at_one_level_are_not_clipped(hz: tuple[float, ...]) -> None:
    """Tones, digits, ringback: their samples crowd at the top, but their crests are round."""
    assert quality(sum(tone(5, -9, hz=one) for one in hz)).clipping_ratio == 0.0


@pytest.mark.parametrize("offset", [0.4, -0.1])
def test_silence_about_an_offset_is_no_pile(offset: float) -> None:
    """Speech that is not cut off, pauses without noise, and a converter's offset."""
    samples = 0.3 * voiced(20)
    samples[: 8 * RATE] = 0
    assert quality(samples + offset).clipping_ratio == 0.0


def test_a_call_that_was_cut_off_before_mp3_is_measured() -> None:
    """Of the demo's caller 4.2 % were cut off by `make_calls`; what MP3 left equal are 1.3 %."""
    path = Path(demo.__file__).parent / "calls" / "call_11.mp3"
    samples, rate = sf.read(path)
    assert quality(samples[:, 1], rate=rate).clipping_ratio == pytest.approx(0.042, rel=0.3)
    assert quality(samples[:, 0], rate=rate).clipping_ratio == 0.0


def test_next_to_nothing_has_no_ratio() -> None:
    """Of one sample nobody can say whether it was cut off."""
    found = quality(np.full(700, 0.3))
    assert np.isnan(found.clipping_ratio)
    assert dict(found.reasons)["clipping_ratio"] == "shorter than 0.1 s"
