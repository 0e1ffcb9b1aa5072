"""What a voice sounds like, whatever it says and however loud: cepstra of the band power that is kept anyway."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.spectrum import unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]

COEFFICIENTS = 12
"""Cepstral coefficients a frame, without the first one, which is the level."""
_BANDS = 16
"""Up to 4 kHz, so that recordings of other rates compare with those of telephones."""
_FLOOR = 1e-9  # power, -90 dB: a codec's traces in digital silence are no timbre


def cepstra(bands: Halves) -> Floats:
    """Return (frames, 12) cepstra of (frames, bands) packed band power.

    Bands are a little wider than a mel apart; sound of under 8 kHz has fewer of them, and fills the rest up
    with its floor.
    """
    power = np.full((len(bands), _BANDS), _FLOOR, np.float32)
    known = min(_BANDS, bands.shape[1])
    np.maximum(unpacked(bands[:, :known]), np.float32(_FLOOR), out=power[:, :known])
    result: Floats = np.log(power) @ _cosines()
    return result


@functools.cache
def _cosines() -> Floats:
    at = (np.arange(_BANDS) + 0.5) / _BANDS
    return np.cos(np.pi * at[:, None] * np.arange(1, COEFFICIENTS + 1)).astype(np.float32) * np.float32(
        np.sqrt(2 / _BANDS)
    )
