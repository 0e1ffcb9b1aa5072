"""Levels in decibels, and where they alone say speech."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.speech.level import decibels, joined, loud, regions, runs, smoothed, switched
from kataven_notebook.speech.spectrum import FRAME_S

pytestmark = pytest.mark.core


def test_digital_silence_has_a_level() -> None:
    """-140 dB and no warning of a logarithm of 0."""
    assert decibels(np.array([0.0, 1.0, 0.01], np.float32)).tolist() == pytest.approx([-140, 0, -20])


def test_a_quiet_frame_behind_an_hour_of_loud_ones_keeps_its_level() -> None:
    """The mean is cumulated in double precision: single precision would lose it in the sum."""
    values = np.ones(3600 * 125 + 3, np.float32)
    values[-3:] = 1e-8
    assert smoothed(values, 3)[-1] == pytest.approx(1e-8, rel=0.01)


def test_the_moving_mean_takes_fewer_frames_at_the_ends() -> None:
    """So that nothing fades in or out."""
    assert smoothed(np.array([3.0, 0.0, 0.0, 6.0], np.float32), 3).tolist() == [1.5, 1.0, 2.0, 3.0]


def test_a_switch_holds_between_its_thresholds() -> None:
    """On from 0.4, off below 0.25; what lies between is as the frame before, and off at the beginning."""
    values = np.array([0.3, 0.4, 0.3, 0.25, 0.24, 0.3, 0.9], np.float32)
    assert switched(values, 0.4, 0.25).tolist() == [False, True, True, True, False, False, True]


def test_short_pauses_are_bridged_and_short_sounds_dropped() -> None:
    """A pause of 0.24 s is inside speech, one of 0.26 s is not; 0.08 s is no speech."""
    lengths_s = [0.4, 0.24, 0.4, 0.264, 0.08, 0.4, 0.4]
    mask = np.concatenate([np.full(round(s / FRAME_S), i % 2 == 0) for i, s in enumerate(lengths_s)])
    assert regions(mask).tolist() == [[0, 130], [223, 273]]
    assert runs(np.zeros(3, bool)).shape == joined(np.empty((0, 2), np.intp), 3).shape == (0, 2)


@pytest.mark.parametrize(
    ("floor_db", "speech_db", "found"),
    [(-70.0, -30.0, True), (-70.0, -61.0, False), (-30.0, -27.0, False)],
    ids=["clear", "too quiet to hear", "no contrast"],
)
def test_level_says_speech_only_where_it_is_audible_and_stands_out(
    floor_db: float, speech_db: float, *, found: bool
) -> None:
    """A third of the frames at another level than the rest."""
    level = np.full(300, floor_db, np.float32)
    level[100:200] = speech_db
    assert loud(level).tolist() == [found and 100 <= frame < 200 for frame in range(300)]
    assert not len(loud(level[:0]))
