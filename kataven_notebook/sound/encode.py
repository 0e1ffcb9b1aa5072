"""From samples to encoded bytes: in the width that the sound needs, and no wider."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np
import soundfile as sf

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

_WIDTHS = (8, 16, 24, 32)
# Lossless ones that do not say in their name how many bits they hold.
_WIDE_CODECS = frozenset({"flac", "alac"})


def bits_of(codec: str) -> int | None:
    """Return how many bits a sample of a codec needs where it is written without loss, or None for floats.

    What lossy codecs and those of telephony decode to is worth 16.

    Examples
    --------
    >>> bits_of("pcm_24"), bits_of("ulaw"), bits_of("mp3"), bits_of("float")
    (24, 16, 16, None)
    """
    if codec in ("float", "double") or codec.startswith("pcm_f"):
        return None
    stated = re.match(r"pcm_[su]?(\d+)", codec)
    bits = int(stated[1]) if stated else 24 if codec in _WIDE_CODECS else 16
    return next((each for each in _WIDTHS if each >= bits), _WIDTHS[-1])


def as_wav(samples: Samples, sample_rate: int, bits: int | None) -> tuple[bytes, bool]:
    """Return a WAV file that decodes to exactly `samples`, and whether they fit into `bits`.

    Parameters
    ----------
    samples
        `(frames, channels)` float32.
    sample_rate
        Frames a second, Hz.
    bits
        Of a sample of the sound that they were made of; None, and whatever does not fit, is written as floats.
    """
    whole = None if bits is None else _whole(samples, bits)
    file = io.BytesIO()
    if whole is None:
        sf.write(file, samples, sample_rate, format="WAV", subtype="FLOAT")
    else:
        assert bits is not None  # noqa: S101 - whole numbers were made of it
        sf.write(file, _left_justified(whole, bits), sample_rate, format="WAV", subtype=_pcm("WAV", bits))
    return file.getvalue(), whole is not None


def _whole(samples: Samples, bits: int) -> npt.NDArray[np.int32] | None:
    """Return samples as whole numbers of so many bits, or None where that would change one."""
    scaled = samples.astype(np.float64) * 2.0 ** (bits - 1)
    limit = 2.0 ** (bits - 1)
    # NaN is in no range.
    if not bool(np.all((scaled >= -limit) & (scaled < limit) & (scaled == np.rint(scaled)))):
        return None
    return scaled.astype(np.int32)


def _left_justified(whole: npt.NDArray[np.int32], bits: int) -> npt.NDArray[np.int32]:
    """Return the numbers as libsndfile takes them for every width, which scales nothing then."""
    return np.left_shift(whole, 32 - bits)


def _pcm(container: str, bits: int) -> str:
    if bits > 8:
        return f"PCM_{bits}"
    return "PCM_U8" if container == "WAV" else "PCM_S8"
