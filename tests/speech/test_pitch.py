"""How high a voice speaks is heard in the repetition of its sound."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.speech.pitch import STEP, VOICED, pitch

pytestmark = pytest.mark.core

RATE = 16_000


def pulses(pitch_hz: float, seconds: float = 1.0) -> np.ndarray:
    """Return a pulse train, whose harmonics are equally strong."""
    phase = np.arange(round(seconds * RATE)) * pitch_hz / RATE
    return np.diff(np.floor(phase), prepend=0.0).astype(np.float32)


@pytest.mark.parametrize("pitch_hz", [80, 120, 200, 350])
def test_the_pitch_of_a_pulse_train_is_found(pitch_hz: float) -> None:
    """To 3 %, away from the edges, where half of the window is silence."""
    octaves, likeness = pitch(pulses(pitch_hz))
    inner = slice(4, -4)
    np.testing.assert_allclose(2 ** octaves[inner], pitch_hz, rtol=0.03)
    assert likeness[inner].min() > VOICED


def test_noise_is_not_voiced() -> None:
    """Nothing in it repeats."""
    _, likeness = pitch(np.random.default_rng(0).standard_normal(RATE).astype(np.float32))
    assert np.median(likeness) < VOICED


def test_silence_is_not_voiced() -> None:
    """And raises no warning."""
    octaves, likeness = pitch(np.zeros(10 * STEP, np.float32))
    assert len(octaves) == 10
    assert likeness.max() < VOICED


def test_sound_shorter_than_a_step_has_no_values() -> None:
    """An empty array, as for no sound."""
    assert len(pitch(np.zeros(STEP - 1, np.float32))[0]) == 0
