"""Sound in blocks of any size and rate, to windows of 32 ms at 16 kHz, their spectra and the power in bands.

Everything that looks for speech looks at these windows: the model, and the level, which follows four spectra a
window, 8 ms apart. Parts have the same length whatever the blocks were, so that results don't depend on them.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]

RATE = 16_000
"""Hz; the model is clearly worse at its native 8 kHz than on telephone sound brought to 16 kHz."""
WINDOW = 512
CONTEXT = 64
"""Samples before a window that the model sees with it."""
FRAMES_PER_WINDOW = 4
FRAME_S = 0.008
WINDOW_S = 0.032
PART_WINDOWS = 512
"""Windows (16 s) that are worked on at once: enough for fast products, 5 MB of spectra."""

BAND_EDGES_HZ = (
    100,
    250,
    375,
    500,
    625,
    750,
    875,
    1000,
    1250,
    1500,
    1750,
    2000,
    2400,
    2800,
    3200,
    3600,
    4000,
    5500,
    8000,
)
"""From 100 Hz up: below, telephones carry hum and rumble; constant offsets fall out as well."""
_FFT = 256  # samples, 16 ms: the model's own frames, so that one set of spectra serves both
_PACKING = 2.0**14  # full scale fits in half precision, and so does 120 dB below it
_LEAST = np.float32(2.0**-14)  # -168 dB
_FULL_SCALE = 96 * 128
"""Sum over a spectrum of the power of noise whose samples have a mean square of 1 (Hann window, 256)."""


def windows_of(sound: Floats) -> Floats:
    """View (64 + n x 512,) samples, the first 64 of them context, as (n, 576) overlapping windows."""
    step = sound.strides[0]
    shape = ((len(sound) - CONTEXT) // WINDOW, CONTEXT + WINDOW)
    return np.lib.stride_tricks.as_strided(sound, shape, (WINDOW * step, step), writeable=False)


def power_spectra(windows: Floats) -> Floats:
    """Return (n, 4, 129) power of (n, 576) windows, in the frames that the model takes.

    They are 16 ms long and 8 ms apart; the last one is mirrored where the window ends.
    """
    from scipy import fft  # noqa: PLC0415 - half a second that an import of the package need not take

    mirrored = np.concatenate([windows, windows[:, -2 : -2 - CONTEXT : -1]], axis=1)
    row, sample = mirrored.strides
    frames = np.lib.stride_tricks.as_strided(
        mirrored, (len(windows), FRAMES_PER_WINDOW, _FFT), (row, _FFT // 2 * sample, sample), writeable=False
    )
    spectra = fft.rfft(frames * _hann(), axis=-1)
    power: Floats = np.square(spectra.real)
    power += np.square(spectra.imag)
    return power


def band_power(power: Floats, sample_rate: int) -> Floats:
    """Return (4 n, bands) mean square per band, of those bands that sound of `sample_rate` can fill."""
    return power.reshape(-1, power.shape[-1]) @ _band_weights(sample_rate)


def packed(power: Floats) -> Halves:
    """Return mean squares as amplitudes in half precision: a third of 0.01 dB, in half of the memory."""
    amplitudes = np.sqrt(power)
    amplitudes *= np.float32(_PACKING)
    # Numbers too small for the format's full precision take ten times as long to convert, and are silence.
    np.maximum(amplitudes, _LEAST, out=amplitudes)
    return amplitudes.astype(np.float16)


def unpacked(amplitudes: Halves) -> Floats:
    """Return the mean squares that were `packed`."""
    power: Floats = np.square(amplitudes.astype(np.float32) * np.float32(1 / _PACKING))
    return power


def parts(blocks: Iterable[Floats], sample_rate: int, channels: int) -> Iterator[Floats]:
    """Bring blocks to 16 kHz and cut them into parts: (channels, 64 + n x 512), n up to `PART_WINDOWS`.

    What is no number, or beyond full scale, is taken for what a converter would have made of it. The last part
    is filled up with silence.
    """
    length = PART_WINDOWS * WINDOW
    kept = np.zeros((channels, CONTEXT), np.float32)
    for block in _resampled(blocks, sample_rate, channels):
        kept = np.concatenate([kept, block.T], axis=1)
        while kept.shape[1] >= CONTEXT + length:
            yield _steady(kept[:, : CONTEXT + length])
            kept = kept[:, length:]
    rest = kept.shape[1] - CONTEXT
    if rest:
        yield _steady(np.pad(kept, ((0, 0), (0, -rest % WINDOW))))


def _resampled(blocks: Iterable[Floats], sample_rate: int, channels: int) -> Iterator[Floats]:
    import soxr  # noqa: PLC0415 - only sound needs it

    # One stream for all blocks, so that their borders don't show.
    stream = soxr.ResampleStream(sample_rate, RATE, channels, dtype="float32", quality="MQ")
    for block in blocks:
        clean = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
        yield stream.resample_chunk(np.clip(clean, -1.0, 1.0, out=clean)).reshape(-1, channels)
    yield stream.resample_chunk(np.zeros((0, channels), np.float32), last=True).reshape(-1, channels)


def _steady(part: Floats) -> Floats:
    """Take a constant offset out, which the model would take for a sound that never ends."""
    return np.ascontiguousarray(part - part.mean(axis=1, keepdims=True))


@functools.cache
def _hann() -> Floats:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)).astype(np.float32)


@functools.cache
def _band_weights(sample_rate: int) -> Floats:
    bins_hz = np.arange(_FFT // 2 + 1) * RATE / _FFT
    count = max(1, sum(edge <= sample_rate / 2 for edge in BAND_EDGES_HZ) - 1)
    edges = BAND_EDGES_HZ[: count + 1]
    columns = [(bins_hz >= low) & (bins_hz < high) for low, high in itertools.pairwise(edges)]
    return (np.stack(columns, axis=1) / _FULL_SCALE).astype(np.float32)
