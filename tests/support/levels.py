"""Sound of known levels, one channel, and its quality."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from kataven_notebook.numbers.quality import ChannelQuality, measure_quality

RATE = 8_000


def tone(seconds: float, level_dbfs: float, *, hz: float = 997.0, rate: int = RATE) -> np.ndarray:
    """Return a sine whose peak is at `level_dbfs`."""
    time = np.arange(round(seconds * rate)) / rate
    return 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * time)


def noise(seconds: float, level_dbfs: float, seed: int = 0) -> np.ndarray:
    """Return white noise whose RMS is at `level_dbfs`."""
    return np.random.default_rng(seed).normal(0, 10 ** (level_dbfs / 20), round(seconds * RATE))


def speechlike(seconds: float, peak: float) -> np.ndarray:
    """Return noise in bursts, whose samples thin out towards the peak as those of speech do."""
    burst = np.sin(2 * np.pi * 3 * np.arange(round(seconds * RATE)) / RATE) ** 2
    samples = np.convolve(noise(seconds, 0), np.hanning(9), "same") * burst
    return peak * samples / np.abs(samples).max()


def voiced(seconds: float, seed: int = 0) -> np.ndarray:
    """Return pulses through the resonances of an open vowel, in syllables of many levels, peak about 1."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * np.arange(count) / RATE)
    pulse = np.diff(np.floor(np.cumsum(pitch_hz) / RATE), prepend=0.0)
    sound = pulse + 0.003 * rng.standard_normal(count)
    for hz, width_hz in ((650, 90), (1100, 110), (2450, 160)):
        radius = np.exp(-np.pi * width_hz / RATE)
        sound = lfilter([1.0], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], sound)
    level = np.repeat(rng.gamma(1.0, 1.0, round(seconds * 4) + 1), RATE // 4)[:count]
    sound *= np.convolve(level, np.hanning(801) / 400, "same") + 0.02
    return np.asarray(sound / np.abs(sound).max())


def quality(samples: np.ndarray, speech: object = (), *, rate: int = RATE, block: int = 7_001) -> ChannelQuality:
    """Return the one channel's quality, from blocks of an odd length."""
    blocks = [samples[at : at + block, None].astype(np.float32) for at in range(0, len(samples), block)]
    return measure_quality(blocks, rate, [speech])[0]
