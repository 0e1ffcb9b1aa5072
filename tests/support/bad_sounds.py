"""Sound that no phone makes, and files hold all the same."""

from __future__ import annotations

import numpy as np
import soxr
from levels import voiced

RATE = 8_000
SECONDS = 6


def talk(rate: int = RATE) -> np.ndarray:
    """Return two voices that take turns, `(frames, 2)`."""
    both = np.column_stack([voiced(SECONDS, seed=1), voiced(SECONDS, seed=2)])
    both[: 3 * RATE, 0] = both[3 * RATE :, 1] = 0
    both += np.random.default_rng(0).normal(0, 1e-3, both.shape)
    if rate == RATE:
        return both
    return np.asarray(soxr.resample(both, RATE, rate))


def beside_speech(channel: np.ndarray | float) -> np.ndarray:
    """Return one party's speech on channel 0, and something else on channel 1."""
    both = talk()
    both[:, 1] = channel
    return both


def with_samples(values: list[float], at: int = 1_000) -> np.ndarray:
    """Return speech, a few samples of which are something else."""
    both = talk()
    both[at : at + len(values), 1] = values
    return both


def many_channels(*, spoken: int) -> np.ndarray:
    """Return 32 channels of faint noise, the first of which hold speech."""
    sound = np.random.default_rng(1).normal(0, 1e-4, (SECONDS * RATE, 32))
    for channel in range(spoken):
        sound[:, 31 - channel] += talk()[:, channel % 2]
    return sound


SOUNDS: dict[str, tuple[np.ndarray, int]] = {
    "one channel of NaN": (beside_speech(np.nan), RATE),
    "NaN": (np.full((RATE, 2), np.nan), RATE),
    "some NaN": (with_samples([np.nan] * 100), RATE),
    "a third NaN": (with_samples([np.nan] * 2 * RATE), RATE),
    "infinite samples": (with_samples([np.inf, -np.inf]), RATE),
    "one infinite channel": (beside_speech(np.inf), RATE),
    "DC beside speech": (beside_speech(0.5), RATE),
    "DC": (np.full((RATE, 2), -0.3), RATE),
    "speech about an offset": (0.5 * talk() + 0.4, RATE),
    "constant full scale": (np.ones((RATE, 2)), RATE),
    "square wave": (np.sign(np.sin(0.05 * np.arange(RATE)))[:, None].repeat(2, axis=1), RATE),
    "digital silence": (np.zeros((RATE, 2)), RATE),
    "one sample": (np.array([[0.3, 0.1]]), RATE),
    "5 ms": (talk()[:40], RATE),
    "0.39 s": (talk()[: round(0.39 * RATE)], RATE),
    "one click": (np.pad(np.ones((1, 2)), ((4_000, 4_000), (0, 0))), RATE),
    "192 kHz": (talk(192_000), 192_000),
    "44.1 kHz": (talk(44_100), 44_100),
    "1 kHz": (talk(1_000), 1_000),
    "100 Hz": (talk(100), 100),
    "1 Hz": (np.array([[0.1, 0.2], [0.3, 0.1], [0.0, 0.1]]), 1),
    "mono": (talk()[:, :1], RATE),
    "32 channels": (many_channels(spoken=32), RATE),
    "32 channels, 2 with speech": (many_channels(spoken=2), RATE),
    "40 times full scale": (40 * talk(), RATE),
    "far beyond full scale": (1e20 * talk(), RATE),
    "beyond all sound": (3e38 * np.sign(talk()), RATE),
    "next to nothing": (1e-42 * talk(), RATE),
}
