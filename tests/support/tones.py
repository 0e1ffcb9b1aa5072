"""Sound with known answers, for tests."""

from __future__ import annotations

import io

import numpy as np
import soundfile as sf

RATE = 8_000


def tone(seconds: float = 2.0, channels: int = 2, rate: int = RATE) -> np.ndarray:
    """A different sine on each channel."""
    t = np.arange(round(seconds * rate)) / rate
    return np.column_stack([0.5 * np.sin(2 * np.pi * (300 + 200 * c) * t) for c in range(channels)]).astype(np.float32)


def encoded(samples: np.ndarray, kind: str, subtype: str, rate: int = RATE) -> bytes:
    """The bytes of a sound file."""
    file = io.BytesIO()
    sf.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def amr(frames: int) -> bytes:
    """Frames of 20 ms at 4.75 kbit/s, of bits by chance: not every FFmpeg has an encoder."""
    bits = np.random.default_rng(0).integers(0, 256, (frames, 12), np.uint8)
    return b"#!AMR\n" + b"".join(b"\x04" + each.tobytes() for each in bits)
