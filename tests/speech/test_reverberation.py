"""Tests of `kataven_notebook.speech.reverberation`: the tail that a room adds to words."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.speech.reverberation import OWN_FALL_S, tail_s
from kataven_notebook.speech.spectrum import FRAME_S

pytestmark = pytest.mark.core

WORDS = np.array([(100, 200), (400, 520), (700, 800), (1_000, 1_150), (1_400, 1_500)])


def levels(fall_s: float, *, floor_db: float = -70.0) -> np.ndarray:
    """Return the level of words at -20 dBFS that fall by 20 dB in `fall_s`."""
    frames = np.arange(1_700)
    level = np.full(len(frames), floor_db)
    for start, end in WORDS:
        after = (frames - end + 1) * FRAME_S
        level = np.maximum(level, np.where((frames >= start) & (frames < end), -20.0, -np.inf))
        level = np.maximum(level, np.where(after > 0, -20.0 - 20.0 * after / fall_s, -np.inf))
    return level.astype(np.float32)


@pytest.mark.parametrize("fall_s", [0.2, 0.3, 0.45])
def test_a_room_lengthens_the_fall_by_its_tail(fall_s: float) -> None:
    """A hand-worked case: what is longer than the words' own fall is the room's."""
    assert tail_s(levels(fall_s), WORDS) == pytest.approx(fall_s - OWN_FALL_S, abs=0.02)


@pytest.mark.parametrize("fall_s", [0.02, 0.06, 0.1])
def test_words_alone_have_no_tail(fall_s: float) -> None:
    """Dry channels, with codecs or without, fall fast."""
    assert tail_s(levels(fall_s), WORDS) == 0.0


def test_a_tail_below_the_noise_is_not_guessed() -> None:
    """Where the floor is less than 28 dB below words, a fall can't be followed."""
    assert tail_s(levels(0.3, floor_db=-45.0), WORDS) == 0.0


def test_few_words_say_nothing() -> None:
    """Three ends are not enough, and none at all are no error."""
    assert tail_s(levels(0.3), WORDS[:3]) == 0.0
    assert tail_s(levels(0.3), WORDS[:0]) == 0.0
