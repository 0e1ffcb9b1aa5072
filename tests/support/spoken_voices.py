"""Calls of drawn voices: pulses through resonances, which speak syllables of their own kind at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from kataven_notebook.sound.recording import Recording

RATE = 8_000


@dataclass(frozen=True)
class DrawnVoice:
    """A voice: how high it speaks, and by what factor its resonances lie above a man's."""

    pitch_hz: float
    tract: float

    def says(self, seconds: float, rng: np.random.Generator) -> np.ndarray:
        """Return syllables of 0.2 s, each of another vowel."""
        syllables = []
        for _ in range(round(seconds / 0.2)):
            pitch = self.pitch_hz * 2 ** rng.normal(0, 0.08)
            phase = np.cumsum(np.full(RATE // 5, pitch / RATE))
            source = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.standard_normal(RATE // 5)
            for low, high in ((350, 750), (900, 2_000), (2_400, 2_800)):
                centre = rng.uniform(low, high) * self.tract
                pole = np.exp(-np.pi * 100 / RATE + 2j * np.pi * centre / RATE)
                source = signal.lfilter([1], np.real(np.poly([pole, pole.conj()])), source)
            syllables.append(0.1 * source / np.sqrt(np.mean(source**2)))
        return np.concatenate(syllables)


AGENT = DrawnVoice(200, 1.15)
CALLERS = tuple(DrawnVoice(pitch_hz, tract) for pitch_hz, tract in ((95, 0.75), (110, 0.9), (130, 1.0), (150, 1.35)))
TURNS = (("agent", 3.0), ("caller", 2.0), ("agent", 4.0), ("caller", 3.0), ("agent", 2.0), ("caller", 2.0))
"""Who speaks, and for how long; after each a pause of 0.5 s."""
ENDING = (("agent", 3.0),)


def mono_call(
    seed: int, *, agent: DrawnVoice = AGENT, caller: DrawnVoice | None = None, turns: tuple = TURNS + ENDING
) -> Recording:
    """Return one channel on which two voices speak by turns, in noise of -70 dBFS."""
    rng = np.random.default_rng(seed)
    voices = {"agent": agent, "caller": caller or CALLERS[seed % len(CALLERS)]}
    pause = np.zeros(RATE // 2)
    said = [np.concatenate([voices[who].says(seconds, rng), pause]) for who, seconds in turns]
    sound = np.concatenate([pause, *said])
    return Recording.from_samples(sound + rng.normal(0, 3e-4, len(sound)), RATE)


def loud(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Find what is louder than -46 dBFS over 50 ms: a detector whose answers are known."""
    frame = sample_rate // 20
    whole = len(samples) // frame * frame
    level = np.sqrt((samples[:whole].reshape(-1, frame) ** 2).mean(axis=1))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], level > 0.005, [0]]).astype(int)))
    return edges.reshape(-1, 2) / 20


def talk_s(who: str, turns: tuple = TURNS + ENDING) -> float:
    """Return how long a party speaks in a call."""
    return sum(seconds for each, seconds in turns if each == who)
