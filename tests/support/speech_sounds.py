"""Sound for the detectors: blocks of any length, bursts at known times, and how well two findings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt


RATE = 8_000


BURSTS = [(1.0, 2.2), (4.0, 4.6), (7.5, 9.0)]


class Sound:
    """Samples that come in blocks of a length of their own, whatever is asked for."""

    session_id = None

    def __init__(self, samples: npt.ArrayLike, sample_rate: int = RATE, block_s: float = 30.0) -> None:
        self.samples = np.asarray(samples, np.float32)
        self.sample_rate = sample_rate
        self.channels = self.samples.shape[1]
        self.duration_s = len(self.samples) / sample_rate
        self._frames = max(1, int(block_s * sample_rate))

    def blocks(self, _block_s: float = 30.0) -> Iterator[np.ndarray]:
        """Yield the sound, in blocks of this sound's own length."""
        for start in range(0, len(self.samples), self._frames):
            yield self.samples[start : start + self._frames]


def bursts(at: list[tuple[float, float]], duration_s: float = 10.0, seed: int = 0) -> np.ndarray:
    """Noise bursts in digital silence, one channel."""
    sound = 0.1 * np.random.default_rng(seed).standard_normal(int(duration_s * RATE))
    mask = np.zeros(len(sound), bool)
    for start, end in at:
        mask[int(start * RATE) : int(end * RATE)] = True
    return (sound * mask).astype(np.float32)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """F1 of two sets of intervals, in 10 ms frames."""
    end = max((one[-1, 1] for one in (first, second) if len(one)), default=0.0)
    masks = []
    for one in (first, second):
        mask = np.zeros(int(end * 100) + 2, bool)
        for a, b in np.rint(one * 100).astype(int):
            mask[a:b] = True
        masks.append(mask)
    return 2 * (masks[0] & masks[1]).sum() / max(masks[0].sum() + masks[1].sum(), 1)
