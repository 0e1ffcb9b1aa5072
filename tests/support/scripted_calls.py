"""Calls of two tones whose speech is scripted, and the detector that finds exactly them."""

from __future__ import annotations

import numpy as np

from kataven_notebook.numbers.measures import CallMeasures, measure
from kataven_notebook.sound.recording import Recording

RATE = 8_000


FIRST = [(0.5, 2.5), (6.0, 8.0), (9.5, 14.0)]


SECOND = [(3.0, 5.0), (7.5, 9.0), (11.0, 11.5)]


DURATION_S = 18.0


def sound(*speech: list[tuple[float, float]], duration_s: float = DURATION_S, rate: int = RATE) -> np.ndarray:
    """Return noise at -60 dBFS, with a 440 Hz tone of amplitude 0.1 where a channel has speech."""
    time = np.arange(round(duration_s * rate)) / rate
    samples = np.random.default_rng(0).normal(0, 0.001, (len(time), len(speech)))
    for channel, intervals in enumerate(speech):
        for start, end in intervals:
            on = (time >= start) & (time < end)
            samples[on, channel] += 0.1 * np.sin(2 * np.pi * 440 * time[on])
    return samples


def tones(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Find the tones of `sound` to 10 ms: a detector whose answers are known."""
    frame = sample_rate // 100
    whole = len(samples) // frame * frame
    level = np.sqrt((np.nan_to_num(samples[:whole], posinf=0, neginf=0).reshape(-1, frame) ** 2).mean(axis=1))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], level > 0.03, [0]]).astype(int)))
    return edges.reshape(-1, 2) / 100


def measured(samples: np.ndarray, rate: int = RATE) -> CallMeasures:
    """Return the measures of `samples`, by the detector whose answers are known."""
    return measure(Recording.from_samples(samples, rate), speech=tones)
