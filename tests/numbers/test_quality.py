"""Levels of synthesized sound whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from levels import RATE, noise, quality, tone

from kataven_notebook.numbers.quality import QualityMeter, measure_quality

pytestmark = pytest.mark.core


def test_noise_floor_and_snr_of_known_levels() -> None:
    """A tone of -20 dBFS RMS over noise of -50 dBFS RMS: 30 dB, with speech where the tone is."""
    samples = noise(6, -50)
    samples[2 * RATE : 4 * RATE] += tone(2, -20 + 3.0103)
    found = quality(samples, [(2, 4)])
    assert found.noise_floor_dbfs == pytest.approx(-50, abs=0.2)
    assert found.snr_db == pytest.approx(30, abs=0.3)
    assert not dict(found.reasons)


@given(offset=st.floats(-0.4, 0.4), block=st.integers(100, 30_000))
@settings(max_examples=15, deadline=None)
def test_an_offset_and_the_blocks_length_change_no_level(offset: float, block: int) -> None:
    """DC is no sound; blocks are no borders."""
    samples = noise(2, -50)
    samples[RATE : 2 * RATE] += tone(1, -17)
    plain, moved = quality(samples, [(1, 2)]), quality(samples + offset, [(1, 2)], block=block)
    assert moved.noise_floor_dbfs == pytest.approx(plain.noise_floor_dbfs, abs=0.1)
    assert moved.snr_db == pytest.approx(plain.snr_db, abs=0.1)
    assert moved.lufs == pytest.approx(plain.lufs, abs=0.05)


def test_sound_near_speech_is_not_taken_for_noise() -> None:
    """A decay within 0.1 s of speech leaves the floor alone."""
    samples = noise(0.405, -60)
    samples[: round(0.3 * RATE)] += noise(0.3, -20, seed=1)
    assert quality(samples, [(0, 0.2)]).noise_floor_dbfs == pytest.approx(-60, abs=1.0)


def test_the_noise_under_speech_is_taken_off() -> None:
    """Speech as strong as the noise it stands in has an SNR of 0 dB, not 3."""
    samples = noise(6, -30)
    samples[2 * RATE : 4 * RATE] += tone(2, -30 + 3.0103)
    assert quality(samples, [(2, 4)]).snr_db == pytest.approx(0, abs=0.4)


def test_digital_silence_is_no_noise_floor() -> None:
    """Zeros between words have no level in dB: missing, and told from real noise by its share."""
    samples = np.concatenate([tone(1, -10), np.zeros(RATE)])
    found = quality(samples, [(0, 1)])
    assert np.isnan(found.noise_floor_dbfs)
    assert np.isnan(found.snr_db)
    assert dict(found.reasons)["snr_db"] == "digital silence where nobody speaks"
    assert found.digital_silence_ratio == 1.0
    assert quality(noise(2, -70), [(0, 1)]).digital_silence_ratio == 0.0


def test_digital_silence_is_found_beside_speech_that_leans_to_one_side() -> None:
    """Speech whose mean is not 0 doesn't make silence look like noise."""
    lopsided = np.abs(tone(1, -10)) - 0.1
    found = quality(np.concatenate([lopsided, np.zeros(RATE), lopsided]), [(0, 1), (2, 3)])
    assert found.digital_silence_ratio == 1.0


def test_no_room_for_noise_or_speech_is_said() -> None:
    """Speech throughout has no floor; noise throughout has no speech; quiet speech has no SNR."""
    throughout = quality(noise(2, -30), [(0, 2)])
    assert dict(throughout.reasons)["noise_floor_dbfs"] == "less than 0.1 s is free of speech"
    assert dict(quality(noise(2, -30)).reasons)["snr_db"] == "there is no speech"
    sunk = np.concatenate([noise(1, -50), noise(1, -30)])
    assert dict(quality(sunk, [(0, 1)]).reasons)["snr_db"] == "speech is hardly louder than the noise"


@pytest.mark.parametrize("level_dbfs", [-0.5, -6.0, -24.0])
def test_the_peak_is_the_largest_sample(level_dbfs: float) -> None:
    """Positive or negative."""
    samples = np.zeros(RATE)
    samples[4_000] = -(10 ** (level_dbfs / 20))
    assert quality(samples).peak_dbfs == pytest.approx(level_dbfs, abs=1e-4)


@pytest.mark.parametrize(("level_dbfs", "silent"), [(-61.0, True), (-50.0, False)])
def test_a_channel_is_silent_below_minus_sixty(level_dbfs: float, *, silent: bool) -> None:
    """Digital silence and a constant offset are silent, too."""
    assert quality(noise(1, level_dbfs - 2)).silent is silent
    assert quality(np.zeros(RATE)).silent
    assert quality(np.full(RATE, 0.25)).silent


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_make_the_levels_missing(bad: float) -> None:
    """No warning, no number, and how many there are."""
    samples = tone(1, -20)
    samples[10:13] = bad
    found = quality(samples, [(0, 0.5)])
    assert np.isnan([found.lufs, found.peak_dbfs, found.clipping_ratio, found.noise_floor_dbfs, found.snr_db]).all()
    assert set(dict(found.reasons).values()) == {"3 samples are not finite"}


@pytest.mark.parametrize("level", [1e7, 1e20, 3e38])
def test_samples_beyond_any_sound_make_the_levels_missing(level: float) -> None:
    """Their squares would overflow: no warning, and the reason."""
    samples = tone(1, -20)
    samples[10:12] = [level, -level]
    found = quality(samples, [(0, 0.5)])
    assert np.isnan([found.lufs, found.peak_dbfs, found.clipping_ratio]).all()
    assert set(dict(found.reasons).values()) == {"2 samples are not finite or over a million times full scale"}
    assert found.finite_ratio == 1 - 2 / RATE


@pytest.mark.parametrize(("level", "silent"), [(0.3, False), (0.0, True), (1e-4, True)])
def test_less_than_a_window_is_silent_by_its_peak(level: float, *, silent: bool) -> None:
    """There is no other level."""
    assert quality(np.full(1, level)).silent is silent


@pytest.mark.parametrize("length", [0, 1, 79, 80, 81])
def test_next_to_nothing_has_no_levels_and_no_warnings(length: int) -> None:
    """Empty and shorter than a frame."""
    found = quality(np.full(length, 0.5))
    assert np.isnan([found.lufs, found.noise_floor_dbfs, found.snr_db]).all()
    assert {"lufs", "noise_floor_dbfs", "snr_db"} <= dict(found.reasons).keys()
    if not length:
        assert dict(found.reasons)["peak_dbfs"] == "there is no sound"


def test_channels_are_measured_apart() -> None:
    """What is on one channel doesn't show on the other."""
    both = np.column_stack([tone(1, -6), np.zeros(RATE)])
    first, second = measure_quality([both], RATE, [[(0, 1)], []])
    assert first.peak_dbfs == pytest.approx(-6, abs=0.1)
    assert second.silent
    assert dict(second.reasons)["peak_dbfs"] == "every sample is 0"


def test_a_block_with_other_channels_is_refused() -> None:
    """Not silently cut."""
    with pytest.raises(ValueError, match="frames, 2"):
        QualityMeter(RATE, 2).add(np.zeros((10, 3)))
