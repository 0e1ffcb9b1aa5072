"""Two parties that share nothing, and copies of one in the other's channel."""

from __future__ import annotations

import numpy as np
from speech_sounds import Sound, bursts

from kataven_notebook.speech.echo import Echo, find_echoes
from kataven_notebook.speech.spectrum import RATE
from kataven_notebook.speech.tracks import read_tracks

FIRST = [(1.0, 4.0), (9.0, 12.0), (17.0, 20.0), (24.0, 26.0)]
SECOND = [(5.0, 8.0), (13.0, 16.0), (21.0, 23.5), (25.0, 28.0)]
LENGTH_S = 29.0


def parties() -> np.ndarray:
    """Two parties that take turns, one with a sound of its own each: (frames, 2) at 16 kHz."""
    sound = np.stack([bursts(FIRST, LENGTH_S, seed=1), bursts(SECOND, LENGTH_S, seed=2)], axis=1)
    return np.repeat(sound, RATE * LENGTH_S // len(sound), axis=0) if len(sound) < RATE * LENGTH_S else sound


def later(sound: np.ndarray, delay_s: float) -> np.ndarray:
    """Delay one channel."""
    frames = round(delay_s * RATE)
    return np.concatenate([np.zeros(frames), sound])[: len(sound)]


def echoes(sound: np.ndarray) -> list[Echo]:
    """Find the echoes of sound at 16 kHz."""
    recording = Sound(sound, RATE)
    tracks, _ = read_tracks(recording, 1, with_model=False)
    levels = [track.level_db for track in tracks]
    return find_echoes(recording, levels, [np.zeros(len(level), bool) for level in levels])
