"""What is kept of a recording that is read once."""

from __future__ import annotations

import numpy as np
import pytest
from speech_sounds import RATE, Sound

from kataven_notebook.speech.tracks import read_tracks

pytestmark = pytest.mark.core


def test_an_hour_needs_little_more_memory_than_a_minute() -> None:
    """What is kept of two channels is below 45 MB for each hour."""
    sound = Sound(np.zeros((60 * RATE, 2)))
    tracks, _ = read_tracks(sound, 1, lambda _block: None, with_model=True)
    kept = sum(one.nbytes for t in tracks for one in (t.bands, t.total, t.level_db, t.probability))
    assert kept * 60 < 45e6
