"""Integrated loudness by ITU-R BS.1770-4, of sound in blocks: K-weighting, gating blocks of 0.4 s, both gates.

The gates leave silence and pauses out of the mean, and nothing else: what is within 10 LU of the loudest parts counts,
be it speech, hold music, ringback or noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

# The first gate keeps silence out of the mean, the second pauses.
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_MIN_RATE_HZ = 4_000  # below, K-weighting's shelf at 1.5 kHz has no room


class LoudnessMeter:
    """Gating-block powers of one channel, from filters whose state goes over from block to block.

    Parameters
    ----------
    sample_rate
        Frames a second, Hz; below 4 kHz there is no loudness.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._sections: Doubles | None = None
        self._state: Doubles = np.empty(0)
        self._done = 0
        self._sums: list[Doubles] = []

    def add(self, samples: Doubles) -> None:
        """Take the next samples, finite, at least one."""
        from scipy.signal import sosfilt, sosfilt_zi  # noqa: PLC0415 - scipy.signal is slow to import

        if self._rate < _MIN_RATE_HZ:
            return
        if self._sections is None:
            self._sections = _k_weighting(self._rate)
            # Starting settled, a constant offset makes no thump.
            self._state = np.asarray(sosfilt_zi(self._sections)) * samples[0]
        weighted, self._state = sosfilt(self._sections, samples, zi=self._state)
        # Steps of 0.1 s, a quarter of a gating block: sums over them are all that is needed later.
        first, last = (self._done * 10 // self._rate, (self._done + len(samples) - 1) * 10 // self._rate)
        steps = np.arange(first, last + 1)
        starts = np.maximum(-(-steps * self._rate // 10) - self._done, 0)
        self._sums.append(np.column_stack([steps, np.add.reduceat(weighted * weighted, starts)]))
        self._done += len(samples)

    def result(self) -> tuple[float, str]:
        """Return LUFS, and why they are missing."""
        if self._rate < _MIN_RATE_HZ:
            return float("nan"), "the sample rate is under 4 kHz"
        if self._done < 0.4 * self._rate:
            return float("nan"), "shorter than 0.4 s"
        parts = np.concatenate(self._sums)
        steps = np.bincount(parts[:, 0].astype(np.int64), parts[:, 1])[: self._done * 10 // self._rate]
        # Gating blocks of 0.4 s that overlap by three quarters.
        powers = np.convolve(steps, np.ones(4), "valid") / (0.4 * self._rate)
        loud = powers[powers >= _power(_ABSOLUTE_GATE_LUFS)]
        if not len(loud):
            return float("nan"), "never louder than -70 LUFS"
        gated = loud[loud > loud.mean() * 10 ** (_RELATIVE_GATE_LU / 10)]
        # BS.1770's constant: it makes up for K-weighting's gain at 997 Hz.
        return -0.691 + 10 * float(np.log10(gated.mean())), ""


def _k_weighting(sample_rate: int) -> Doubles:
    """Return the two filters of BS.1770's K-weighting, head and ear, as sections for any sample rate."""
    import pyloudnorm  # noqa: PLC0415 - it brings scipy.signal, which is slow to import

    shelf = pyloudnorm.IIRfilter(4.0, 2**-0.5, 1500.0, sample_rate, "high_shelf")
    low_cut = pyloudnorm.IIRfilter(0.0, 0.5, 38.0, sample_rate, "high_pass")
    return np.array([[*part.b, *part.a] for part in (shelf, low_cut)])


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
