"""Voices of agents and callers, drawn as calls hold them: a caller's is new in each call, an agent's is not."""

from __future__ import annotations

import numpy as np

from kataven_notebook.speech.voice import Voice

BETWEEN = np.array([1.6, 1.3, 1.1, 0.9, 0.6, 0.55, 0.45, 0.4, 0.4, 0.3, 0.3, 0.3, 1.3])
"""Standard deviation between voices: cepstra, and the level in steps of 3 dB."""
SPREAD = np.array([0.8, 1.3, 1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3, 0.3, 0.2, 0.2, 0.3])
"""Standard deviation within a voice, over blocks of 1 s."""


def identity(random: np.random.Generator) -> np.ndarray:
    """Return what is constant about one voice."""
    return random.normal(size=13) * BETWEEN


def heard(random: np.random.Generator, who: np.ndarray, *, blocks: int = 12, still: float = float("nan")) -> Voice:
    """Return that voice as one call holds it."""
    mean = who + random.normal(size=13) * SPREAD / np.sqrt(blocks)
    return Voice(mean.astype(np.float32), SPREAD.astype(np.float32), blocks, still)
