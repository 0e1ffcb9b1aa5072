"""How high a voice speaks: the fundamental frequency of short stretches, by autocorrelation."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.spectrum import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

STEP = 256
"""Samples at 16 kHz from one value to the next: 16 ms."""
VOICED = 0.6
"""Least correlation of a period with the next one in voiced speech; noise and consonants stay below."""
_WINDOW = 640  # samples, 40 ms: two periods of the lowest voice
_FFT = 1_024
_TOP_HZ = 1_600  # above it harmonics are weak on telephones, and noise is not
_LOWEST_HZ, _HIGHEST_HZ = 64, 400
_NEAR_BEST = 0.88  # of two periods, the shorter one where it fits nearly as well: the longer is a multiple of it


def pitch(sound: Floats) -> tuple[Floats, Floats]:
    """Return (n,) pitch in octaves above 1 Hz, and how well each period resembles the next, -1 to 1.

    Value i is taken from the 40 ms around sample `STEP * i + STEP / 2`. Where the likeness is below `VOICED` the
    pitch means nothing. Autocorrelation of the windowed signal over that of the window, as in Boersma (1993,
    "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound",
    IFA Proceedings 17); errors of an octave remain, in creaky voices most.

    Parameters
    ----------
    sound
        (samples,) at 16 kHz.
    """
    from scipy import fft  # noqa: PLC0415 - half a second that an import of the package need not take

    count = len(sound) // STEP
    around = (_WINDOW - STEP) // 2
    padded = np.pad(sound, (around, around))
    windows = np.lib.stride_tricks.as_strided(
        padded, (count, _WINDOW), (STEP * padded.strides[0], padded.strides[0]), writeable=False
    )
    spectra = fft.rfft(windows * _hann(), _FFT, axis=1)
    power = np.square(spectra.real) + np.square(spectra.imag)
    power[:, _TOP_HZ * _FFT // RATE :] = 0
    longest = RATE // _LOWEST_HZ
    likeness = fft.irfft(power, axis=1)[:, : longest + 1]
    likeness /= np.maximum(likeness[:, :1], 1e-9) * _likeness_of_window()
    lags = np.arange(RATE // _HIGHEST_HZ, longest)
    near = likeness[:, lags]
    best = near.max(axis=1, initial=-1.0)
    peaks = (near >= likeness[:, lags - 1]) & (near >= likeness[:, lags + 1]) & (near >= _NEAR_BEST * best[:, None])
    lag = lags[np.where(peaks.any(axis=1), peaks.argmax(axis=1), near.argmax(axis=1))]
    return np.log2(RATE / lag).astype(np.float32), best.astype(np.float32)


@functools.cache
def _hann() -> Floats:
    window: Floats = np.hanning(_WINDOW).astype(np.float32)
    return window


@functools.cache
def _likeness_of_window() -> Floats:
    spectrum = np.fft.rfft(_hann(), _FFT)
    own = np.fft.irfft(np.abs(spectrum) ** 2)[: RATE // _LOWEST_HZ + 1]
    likeness: Floats = (own / own[0]).astype(np.float32)
    return likeness
