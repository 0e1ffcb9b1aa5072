"""The other party's leak, found and taken out."""

from __future__ import annotations

import numpy as np
import pytest
from speech_sounds import RATE, Sound, overlap

from kataven_notebook.speech.detect import speech_intervals

pytestmark = pytest.mark.core


@pytest.mark.parametrize("option", ["auto", "energy"])
def test_leak_of_the_other_party_is_taken_out(call: np.ndarray, option: str) -> None:
    """With each side 25 dB down and 0.1 s late in the other, the intervals stay those of the clean call."""
    late = np.concatenate([np.zeros((RATE // 10, 2)), call[: -RATE // 10]])[:, ::-1]
    noise = 10 ** (-65 / 20) * np.random.default_rng(0).standard_normal(call.shape)
    clean = speech_intervals(Sound(call), speech=option)
    found = speech_intervals(Sound(call + late * 10 ** (-25 / 20) + noise), speech=option)
    np.testing.assert_allclose(found.bleed_db, -25, atol=1.5)
    for a, b in zip(found.intervals, clean.intervals, strict=True):
        assert overlap(a, b) > 0.95


def test_the_same_sound_on_both_channels_is_no_leak(call: np.ndarray) -> None:
    """A mix recorded on both channels, one 6 dB lower, is left as it is."""
    mix = call.sum(axis=1)
    found = speech_intervals(Sound(np.stack([mix, 0.5 * mix], 1)))
    assert np.isnan(found.bleed_db).all()
    assert overlap(*found.intervals) > 0.98
