"""Sound of known levels, one channel, and its quality."""

from __future__ import annotations

import numpy as np

from kataven_notebook.numbers.quality import ChannelQuality, measure_quality

RATE = 8_000


def tone(seconds: float, level_dbfs: float, *, hz: float = 997.0, rate: int = RATE) -> np.ndarray:
    """Return a sine whose peak is at `level_dbfs`."""
    time = np.arange(round(seconds * rate)) / rate
    return 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * time)


def noise(seconds: float, level_dbfs: float, seed: int = 0) -> np.ndarray:
    """Return white noise whose RMS is at `level_dbfs`."""
    return np.random.default_rng(seed).normal(0, 10 ** (level_dbfs / 20), round(seconds * RATE))


def quality(samples: np.ndarray, speech: object = (), *, rate: int = RATE, block: int = 7_001) -> ChannelQuality:
    """Return the one channel's quality, from blocks of an odd length."""
    blocks = [samples[at : at + block, None].astype(np.float32) for at in range(0, len(samples), block)]
    return measure_quality(blocks, rate, [speech])[0]
