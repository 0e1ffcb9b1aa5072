"""Noise is what is heard where nobody speaks, but for music, tones and other voices."""

from __future__ import annotations

import numpy as np
import pytest
from levels import RATE, noise, quality, tone, voiced

from kataven_notebook.numbers.noise import Noise, TonalityMeter, averaged, find_noise, signal_to_noise

pytestmark = pytest.mark.core

WINDOW = RATE // 100


def coloured(seconds: float, level_dbfs: float, exponent: float) -> np.ndarray:
    """Return noise whose power falls by 10 dB x exponent for each tenfold frequency: 1 is pink, 2 brown."""
    spectrum = np.fft.rfft(noise(seconds, 0))
    hz = np.maximum(np.fft.rfftfreq(round(seconds * RATE), 1 / RATE), 40)
    sound = np.fft.irfft(spectrum * hz ** (-exponent / 2))
    return 10 ** (level_dbfs / 20) * sound / sound.std()


def music(seconds: float, level_dbfs: float) -> np.ndarray:
    """Return chords of plucked notes."""
    time = np.arange(round(seconds * RATE)) / RATE
    root_hz = np.random.default_rng(0).choice([196.0, 220.0, 262.0, 330.0], int(2 * seconds) + 1)[
        (2 * time).astype(int)
    ]
    phase = 2 * np.pi * np.cumsum(root_hz) / RATE
    sound = sum(np.sin(phase * ratio * part) / part for ratio in (1, 1.25, 1.5) for part in (1, 2, 3))
    sound = sound * np.exp(-2 * (time % 0.5))
    return 10 ** (level_dbfs / 20) * sound / sound.std()


def spoken(background: np.ndarray, level_dbfs: float = -20) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return a voice from 2 to 6 s and from 10 to 14 s in `background`, and when."""
    speech = [(2.0, 6.0), (10.0, 14.0)]
    samples = background.copy()
    for start, end in speech:
        voice = voiced(end - start, seed=int(start))
        samples[round(start * RATE) : round(end * RATE)] += 10 ** (level_dbfs / 20) * voice / voice.std()
    return samples, speech


@pytest.mark.parametrize("snr_db", [0, 10, 20, 40])
@pytest.mark.parametrize("exponent", [0, 1, 2], ids=["white", "pink", "brown"])
def test_the_ratio_is_right_in_noise_of_any_colour(exponent: float, snr_db: float) -> None:
    """Within 1 dB, however much of the noise is at low frequencies."""
    samples, speech = spoken(coloured(20, -20 - snr_db, exponent))
    assert quality(samples, speech).snr_db == pytest.approx(snr_db, abs=1.0)


def test_hum_is_noise() -> None:
    """Windows of half a wave of 50 Hz are no offset."""
    samples, speech = spoken(tone(20, -40 + 3.01, hz=50))
    assert quality(samples, speech).snr_db == pytest.approx(20, abs=0.5)


def test_music_where_nobody_speaks_is_not_taken_for_noise() -> None:
    """Throughout it leaves no noise: missing; in half of the gaps the rest is noise."""
    samples, speech = spoken(noise(20, -60))
    everywhere = np.ones(len(samples), dtype=bool)
    for start, end in speech:
        everywhere[round(start * RATE) : round(end * RATE)] = False
    found = quality(samples + everywhere * music(20, -25), speech)
    assert np.isnan(found.snr_db)
    assert dict(found.reasons)["snr_db"] == "music, tones or other voices where nobody speaks"
    assert found.noise_floor_dbfs > -40
    half = everywhere & (np.arange(len(samples)) > 14 * RATE)
    assert quality(samples + half * music(20, -25), speech).snr_db == pytest.approx(40, abs=1.0)


def test_short_gaps_between_words_are_not_tonal_for_the_speech_beside_them() -> None:
    """A vowel has lines, too, and says nothing of the noise next to it."""
    time = np.arange(20 * RATE) / RATE
    speaking = time % 1.0 < 0.6
    samples = noise(20, -50) + speaking * tone(20, -20 + 3.01, hz=400)
    found = quality(samples, [(start, start + 0.6) for start in range(20)])
    assert found.snr_db == pytest.approx(30, abs=0.5)


def test_background_that_is_found_as_speech_leaves_no_ratio() -> None:
    """Half of the speech as quiet as what is between it."""
    samples, speech = spoken(noise(20, -50))
    found = quality(samples, [*speech, (14.5, 19.5)])
    assert np.isnan(found.snr_db)
    assert "as quiet as the background" in dict(found.reasons)["snr_db"]


def test_speech_far_below_the_noise_has_no_ratio() -> None:
    """The difference of two nearly equal powers is chance."""
    samples, speech = spoken(noise(20, -20), level_dbfs=-32)
    assert dict(quality(samples, speech).reasons)["snr_db"] == "speech is hardly louder than the noise"


def test_a_cough_is_not_noise() -> None:
    """What is loud for a moment doesn't move the median."""
    powers = np.full(400, 1e-6)
    powers[100:130] = 0.01
    free, tonal = np.ones(400, dtype=bool), np.zeros(400, dtype=bool)
    assert find_noise(powers, free, tonal).power == pytest.approx(1e-6)
    assert averaged(powers).max() > 1e-3


@pytest.mark.parametrize("windows", [0, 9])
def test_next_to_nothing_free_of_speech_has_no_noise(windows: int) -> None:
    """Under 0.1 s."""
    powers = np.full(100, 1e-6)
    free = np.arange(100) < windows
    found = find_noise(powers, free, np.zeros(100, dtype=bool))
    assert found.reason == "less than 0.1 s is free of speech"
    assert signal_to_noise(powers, ~free, found)[1] == found.reason
    assert signal_to_noise(powers, np.zeros(100, dtype=bool), Noise(1e-6))[1] == "there is no speech"


@pytest.mark.parametrize(("length", "rate"), [(8, 800), (1, 100), (80, 8_000), (480, 48_000)])
def test_any_rate_and_any_number_of_windows_is_looked_at(length: int, rate: int) -> None:
    """Also one with no room for bands, and none at all; the blocks' borders don't matter."""
    meter = TonalityMeter(length)
    assert not meter.tonal(np.ones(7, dtype=bool)).any()
    samples = np.sin(2 * np.pi * 1_000 / rate * np.arange(137 * length)).reshape(-1, length)
    for at in range(0, 137, 11):
        meter.add(samples[at : at + 11])
    found = meter.tonal(np.ones(137, dtype=bool))
    assert len(found) == 137
    assert found.all() == (rate >= 8_000)
