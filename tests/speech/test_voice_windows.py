"""What voices sound like, in cells of their speech."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from spoken_voices import AGENT, CALLERS, RATE, DrawnVoice

from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.voice_windows import CELL_S, describe_voices

pytestmark = pytest.mark.core

SPEECH = np.array([[0.5, 2.5], [3.0, 3.3]])


def spoken(voice: DrawnVoice = AGENT, channels: int = 1) -> Recording:
    """Return four seconds of a voice, on the last channel; the others are silent."""
    sound = np.zeros((4 * RATE, channels))
    sound[:, -1] = voice.says(4.0, np.random.default_rng(0))
    return Recording.from_samples(sound, RATE)


def test_cells_lie_within_the_speech() -> None:
    """Equal ones in each interval, short intervals included, as many as there are quarter seconds."""
    found = describe_voices(spoken(), SPEECH)
    assert found.stretch.tolist() == [0] * 8 + [1]
    np.testing.assert_allclose(found.end_s[:8] - found.start_s[:8], CELL_S)
    assert (found.start_s[8], found.end_s[8]) == (3.0, 3.3)
    assert found.vectors.shape == (9, 25)
    assert found.weight[8] < 0.3 < found.weight[4]


def test_a_vector_holds_the_pitch_and_not_the_level() -> None:
    """The pitch is the last number; a voice from afar is the same voice."""
    near = spoken(CALLERS[0])
    far = Recording.from_samples(0.5 * near.samples, RATE)
    first, second = (describe_voices(each, SPEECH).vectors.astype(float) for each in (near, far))
    np.testing.assert_allclose(2 ** first[:, -1], CALLERS[0].pitch_hz, rtol=0.15)
    np.testing.assert_allclose(first, second, atol=0.4)


def test_one_of_several_channels_is_described() -> None:
    """As if it were alone."""
    alone, beside = describe_voices(spoken(), SPEECH), describe_voices(spoken(channels=2), SPEECH, channel=1)
    np.testing.assert_array_equal(alone.vectors, beside.vectors)


@pytest.mark.parametrize("voices", [None, np.mean])
def test_without_speech_there_are_no_cells(voices: Any) -> None:
    """No function is called."""
    assert len(describe_voices(spoken(), np.empty((0, 2)), voices=voices).vectors) == 0


def test_a_description_is_small_and_can_be_pickled() -> None:
    """Fewer than 20 kB for a minute of speech, so that it can come back from a worker."""
    sound = Recording.from_samples(np.tile(spoken().samples, (15, 1)), RATE)
    assert len(pickle.dumps(describe_voices(sound, np.array([[0.0, 60.0]])))) < 20_000


def test_a_function_hears_each_half_second_in_its_surroundings() -> None:
    """At 16 kHz, 1.5 s where speech is long enough and at least 0.5 s; its vectors come back with length 1."""
    heard: list[np.ndarray] = []

    def embed(samples: np.ndarray) -> list[float]:
        heard.append(samples)
        return [3.0, 4.0]

    found = describe_voices(spoken(), SPEECH, voices=embed)
    assert len(heard) == len(found.vectors) == 5
    assert {each.dtype for each in heard} == {np.dtype(np.float32)}
    assert sorted({round(len(each) / 16_000, 2) for each in heard}) == [0.5, 1.0, 1.5]
    np.testing.assert_allclose(found.vectors, [[0.6, 0.8]] * 5, atol=1e-3)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("voice", "str, which is no array of numbers"),
        (1.0, r"an array of shape \(\)"),
        ([], r"an array of shape \(0,\)"),
        ([[1.0]], r"an array of shape \(1, 1\)"),
        ([np.nan], "numbers that are not finite"),
    ],
)
def test_what_is_no_vector_is_refused_in_words(answer: Any, wrong: str) -> None:
    """The message says what came back and what to return."""
    with pytest.raises(ValueError, match=f"the function given as `voices` returned {wrong}.*; return a vector"):
        describe_voices(spoken(), SPEECH, voices=lambda _: answer)


def test_vectors_of_two_lengths_are_refused() -> None:
    """They could not be compared."""
    answers = iter([[1.0, 2.0], [1.0]])
    with pytest.raises(ValueError, match="returned 1 numbers after 2 before"):
        describe_voices(spoken(), SPEECH, voices=lambda _: next(answers))
