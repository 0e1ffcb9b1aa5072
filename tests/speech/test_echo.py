"""Tests of `kataven_notebook.speech.echo`: copies of one channel in another, found and subtracted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal
from speech_sounds import Sound, bursts

from kataven_notebook.speech.echo import Echo, cancelled, find_echoes
from kataven_notebook.speech.spectrum import CONTEXT, RATE, parts
from kataven_notebook.speech.tracks import read_tracks

pytestmark = pytest.mark.core

FIRST = [(1.0, 4.0), (9.0, 12.0), (17.0, 20.0), (24.0, 26.0)]
SECOND = [(5.0, 8.0), (13.0, 16.0), (21.0, 23.5), (25.0, 28.0)]
LENGTH_S = 29.0


@pytest.fixture(scope="module")
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
    return find_echoes(recording, [track.level_db for track in tracks])


@pytest.mark.parametrize("delay_s", [0.0, 0.06, 0.35, 0.9])
@pytest.mark.parametrize("level_db", [-8.0, -20.0])
def test_a_copy_is_found_with_its_delay_and_level(parties: np.ndarray, delay_s: float, level_db: float) -> None:
    """What reaches the first channel of the second is known to a millisecond and half a decibel."""
    sound = parties.copy()
    sound[:, 0] += 10 ** (level_db / 20) * later(parties[:, 1], delay_s)
    (echo,) = echoes(sound)
    assert (echo.source, echo.target) == (1, 0)
    assert echo.lag_s == pytest.approx(delay_s, abs=0.001)
    assert echo.level_db == pytest.approx(level_db, abs=0.5)
    assert not echo.is_one_sound


def test_parties_that_share_nothing_have_no_echo(parties: np.ndarray) -> None:
    """Taking turns alone is no copy, and neither is a third sound that is always there."""
    assert echoes(parties) == []
    third = 0.1 * bursts([(0.0, LENGTH_S)], LENGTH_S, seed=3)
    assert echoes(parties + np.resize(third, len(parties))[:, None] * [1.0, 0.0]) == []


def test_copies_both_ways_are_two_echoes(parties: np.ndarray) -> None:
    """Each direction is found alone, and no mirror of the other is."""
    sound = parties + 0.2 * np.stack([later(parties[:, 1], 0.03), later(parties[:, 0], 0.05)], axis=1)
    found = {(echo.source, echo.target): echo.lag_s for echo in echoes(sound)}
    assert found == {(1, 0): pytest.approx(0.03, abs=0.001), (0, 1): pytest.approx(0.05, abs=0.001)}


@pytest.mark.parametrize(("gain", "delay_s"), [(1.0, 0.0), (0.7, 0.0), (0.5, 0.005)])
def test_one_sound_stored_twice_is_known_as_such(parties: np.ndarray, gain: float, delay_s: float) -> None:
    """Equal, scaled or delayed: there is no party a channel."""
    mono = parties.sum(axis=1)
    noise = 1e-3 * np.random.default_rng(0).standard_normal(len(mono))
    assert any(echo.is_one_sound for echo in echoes(np.stack([mono, gain * later(mono, delay_s) + noise], axis=1)))


def test_what_a_room_and_a_line_make_of_a_copy_is_subtracted(parties: np.ndarray) -> None:
    """The filtered copy falls by 20 dB or more, and the party's own sound stays, also where both speak."""
    rng = np.random.default_rng(0)
    room = rng.standard_normal(1_600) * np.exp(-np.arange(1_600) / 300)
    heard = 0.05 * signal.lfilter(room, [1.0], later(parties[:, 1], 0.2))
    sound = parties.copy()
    sound[:, 0] += heard
    (echo,) = echoes(sound)
    pieces = list(cancelled(parts([sound.astype(np.float32)], RATE, 2), [echo], [0]))
    clean = np.concatenate([piece[0, CONTEXT:] for piece in pieces])[: len(sound)]
    # Parts lose their offset.
    left = clean - parties[:, 0]
    assert np.mean(left**2) < 0.01 * np.mean(heard**2)


def test_parts_of_any_length_are_cancelled_alike(parties: np.ndarray) -> None:
    """A copy that begins in one part and ends in the next leaves no seam."""
    sound = parties.copy()
    sound[:, 0] += 0.1 * later(parties[:, 1], 0.5)
    (echo,) = echoes(sound)
    cut = len(sound) // 3
    at_once = np.pad(sound, ((CONTEXT, 0), (0, 0))).T.astype(np.float32)
    pieces = [at_once[:, : cut + CONTEXT], at_once[:, cut:]]
    whole = np.concatenate([p[0, CONTEXT:] for p in cancelled([at_once], [echo], [0])])
    joined = np.concatenate([p[0, CONTEXT:] for p in cancelled(pieces, [echo], [0])])
    np.testing.assert_allclose(joined, whole, atol=1e-6)
