"""Two voices in one channel, told apart in a space in which one voice scatters by 1."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.speech.diarization import Space, split
from kataven_notebook.speech.voice_windows import VoiceWindows

pytestmark = pytest.mark.core

CELLS = 8
"""Cells a stretch."""


def windows(
    voices: list[float], *, seed: int = 0, dimensions: int = 6, scale: float = 1.0, by_function: bool = False
) -> VoiceWindows:
    """Return a call with a stretch for each number: where its voice lies on the first axis, in scatters of a voice."""
    rng = np.random.default_rng(seed)
    stretch = np.repeat(np.arange(len(voices), dtype=np.int32), CELLS)
    # Neighbours share sound: each point is the mean of five draws, as windows of five cells are.
    draws = rng.standard_normal((len(stretch) + 4, dimensions)) * np.sqrt(5)
    points = np.stack([draws[i : i + 5].mean(axis=0) for i in range(len(stretch))])
    points[:, 0] += np.repeat(voices, CELLS)
    start_s = 0.25 * np.arange(len(stretch)) + 0.5 * stretch
    return VoiceWindows(
        stretch=stretch,
        start_s=start_s,
        end_s=start_s + 0.25,
        weight=np.ones(len(stretch), np.float32),
        vectors=(scale * points).astype(np.float16),
        reach=2,
        by_function=by_function,
    )


TURNS = [0, 10, 0, 10, 10, 0]


def test_a_voice_scatters_by_one_in_the_space() -> None:
    """Whatever the units of the vectors are."""
    calls = [windows([0] * 6, seed=seed, scale=0.01) for seed in range(20)]
    space = Space.of(calls)
    assert space is not None
    points = np.concatenate([space.points(call) for call in calls])
    assert points.std(axis=0) == pytest.approx(1, abs=0.25)


def test_without_a_long_stretch_there_is_no_space() -> None:
    """How far a voice scatters can't be seen."""
    call = windows([0])
    short = VoiceWindows(call.stretch[:4], call.start_s[:4], call.end_s[:4], call.weight[:4], call.vectors[:4], 2)
    assert Space.of([short]) is None


def test_vectors_of_a_function_may_have_more_directions_than_windows() -> None:
    """The few in which they differ most are looked at."""
    call = windows(TURNS, dimensions=200, scale=0.05, by_function=True)
    space = Space.of([call])
    assert space is not None
    assert space.axes.shape == (200, 24)
    assert len(set(split(call, space.points(call)).labels)) == 2


@pytest.mark.parametrize("seed", range(4))
def test_two_voices_are_told_apart(seed: int) -> None:
    """Each stretch is one party's, without doubt."""
    call = windows(TURNS, seed=seed)
    found = split(call, call.vectors.astype(float))
    own = found.labels == found.labels[0]
    np.testing.assert_array_equal(own, np.repeat(np.array(TURNS) == 0, CELLS))
    assert found.distance == pytest.approx(10, abs=1.5)
    assert found.doubt.max() < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_one_voice_has_no_distance_to_itself(seed: int) -> None:
    """What a cut through one voice gives by chance is taken off."""
    call = windows([0] * 6, seed=seed)
    assert split(call, call.vectors.astype(float)).distance < 2.5


def test_a_known_voice_is_the_first() -> None:
    """And stays where it is known to be; the other is looked for."""
    call = windows(TURNS)
    known = np.eye(6)[0] * 10
    found = split(call, call.vectors.astype(float), known=known)
    np.testing.assert_array_equal(found.labels == 0, np.repeat(np.array(TURNS) == 10, CELLS))
    np.testing.assert_array_equal(found.voices[0], known)


def test_close_voices_leave_doubt() -> None:
    """The probability of the other party is higher than for voices that are far apart."""
    close, far = (windows([distance * each for each in (0, 1, 0, 1)]) for distance in (2.0, 10.0))
    doubts = [split(each, each.vectors.astype(float)).doubt.mean() for each in (close, far)]
    assert doubts[0] > 10 * doubts[1]


def test_a_single_cell_is_no_change_of_speakers() -> None:
    """One window that sounds like the other does not break a turn."""
    call = windows([0, 10, 0])
    points = call.vectors.astype(float)
    points[3, 0] = 6.0
    labels = split(call, points).labels
    assert len(set(labels[:CELLS])) == 1
