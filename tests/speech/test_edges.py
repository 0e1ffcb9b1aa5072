"""Where speech begins and ends."""

from __future__ import annotations

import numpy as np
import pytest
from speech_sounds import BURSTS, Sound, bursts

from kataven_notebook.speech.detect import speech_intervals

pytestmark = pytest.mark.core


@pytest.mark.parametrize("noise_dbfs", [None, -60.0])
def test_level_places_edges_to_20_ms(noise_dbfs: float | None) -> None:
    """Bursts whose times are known are found within 20 ms, in silence and above noise."""
    sound = bursts(BURSTS)
    if noise_dbfs is not None:
        sound = sound + 10 ** (noise_dbfs / 20) * np.random.default_rng(1).standard_normal(len(sound))
    found = speech_intervals(Sound(sound[:, None]), speech="energy")
    assert found.method == "energy"
    np.testing.assert_allclose(found.intervals[0], BURSTS, atol=0.02)
    expected = -np.inf if noise_dbfs is None else noise_dbfs
    assert found.noise_floor_dbfs[0] == pytest.approx(expected, abs=1.0)
