"""Tests of `kataven_notebook.speech.echo`: copies of one channel in another, found."""

from __future__ import annotations

import numpy as np
import pytest
from copied_sounds import LENGTH_S, echoes, later, parties
from speech_sounds import bursts

pytestmark = pytest.mark.core


@pytest.mark.parametrize("delay_s", [0.0, 0.06, 0.35, 0.9])
@pytest.mark.parametrize("level_db", [-8.0, -20.0])
def test_a_copy_is_found_with_its_delay_and_level(delay_s: float, level_db: float) -> None:
    """What reaches the first channel of the second is known to a millisecond and half a decibel."""
    both = parties()
    sound = both.copy()
    sound[:, 0] += 10 ** (level_db / 20) * later(both[:, 1], delay_s)
    (echo,) = echoes(sound)
    assert (echo.source, echo.target) == (1, 0)
    assert echo.lag_s == pytest.approx(delay_s, abs=0.001)
    assert echo.level_db == pytest.approx(level_db, abs=0.5)
    assert not echo.is_one_sound


def test_parties_that_share_nothing_have_no_echo() -> None:
    """Taking turns alone is no copy, and neither is a third sound that is always there."""
    both = parties()
    assert echoes(both) == []
    third = 0.1 * bursts([(0.0, LENGTH_S)], LENGTH_S, seed=3)
    assert echoes(both + np.resize(third, len(both))[:, None] * [1.0, 0.0]) == []


def test_copies_both_ways_are_two_echoes() -> None:
    """Each direction is found alone, and no mirror of the other is."""
    both = parties()
    sound = both + 0.2 * np.stack([later(both[:, 1], 0.03), later(both[:, 0], 0.05)], axis=1)
    found = {(echo.source, echo.target): echo.lag_s for echo in echoes(sound)}
    assert found == {(1, 0): pytest.approx(0.03, abs=0.001), (0, 1): pytest.approx(0.05, abs=0.001)}


@pytest.mark.parametrize(("gain", "delay_s"), [(1.0, 0.0), (0.7, 0.0), (0.5, 0.005)])
def test_one_sound_stored_twice_is_known_as_such(gain: float, delay_s: float) -> None:
    """Equal, scaled or delayed: there is no party a channel."""
    both = parties()
    mono = both.sum(axis=1)
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(mono))
    assert any(echo.is_one_sound for echo in echoes(np.stack([mono, gain * later(mono, delay_s) + noise], axis=1)))
