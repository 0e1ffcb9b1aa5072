"""Tests of `kataven_notebook.speech.parties`: one party a channel, or a doubt that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import signal
from speech_sounds import overlap

import kataven_notebook.demo
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.detect import speech_intervals
from kataven_notebook.speech.parties import ONE_SOUND

pytestmark = pytest.mark.core

CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"
RATE = 8_000


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    """A call of two parties without noise to speak of: (frames, 2) at 8 kHz."""
    return Recording.from_file(CALLS / "call_02.wav").samples.astype(np.float64)


@pytest.fixture(scope="module")
def truth() -> list[np.ndarray]:
    """Where each channel of it has speech, pauses under 0.25 s filled."""
    turns = json.loads((CALLS / "call_02.json").read_text())["turns"]
    found = []
    for channel in (0, 1):
        spoken = np.array(sorted(s for turn in turns if turn["channel"] == channel for s in turn["segments"]))
        starts = np.concatenate([[True], spoken[1:, 0] - spoken[:-1, 1] >= 0.25])
        ends = np.concatenate([starts[1:], [True]])
        found.append(np.column_stack([spoken[starts, 0], spoken[ends, 1]]))
    return found


def later(sound: np.ndarray, delay_s: float) -> np.ndarray:
    """Delay one channel."""
    return np.concatenate([np.zeros(round(delay_s * RATE)), sound])[: len(sound)]


def room(sound: np.ndarray, decay_s: float) -> np.ndarray:
    """Put one channel into a room."""
    length = int(1.2 * decay_s * RATE)
    tail = np.random.default_rng(0).standard_normal(length) * 10 ** (-3 * np.arange(length) / RATE / decay_s)
    tail[:32] = 0
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return signal.oaconvolve(sound, tail)[: len(sound)]


@pytest.mark.parametrize("level_db", [-8.0, -15.0, -25.0])
@pytest.mark.parametrize("delay_s", [0.0, 0.12, 0.5, 0.9])
def test_the_other_partys_copy_is_no_speech(
    clean: np.ndarray, truth: list[np.ndarray], level_db: float, delay_s: float
) -> None:
    """However loud and late an echo is, each channel has its own party's speech and no more."""
    sound = clean.copy()
    sound[:, 0] += 10 ** (level_db / 20) * later(clean[:, 1], delay_s)
    found = speech_intervals(Recording.from_samples(sound, RATE))
    assert [overlap(a, b) > 0.93 for a, b in zip(found, truth, strict=True)] == [True, True]
    assert found.bleed_db[0] == pytest.approx(level_db, abs=1.5)
    assert found.doubts == (None, None)


def test_a_distorted_and_a_reverberant_copy_are_no_speech(clean: np.ndarray, truth: list[np.ndarray]) -> None:
    """A loudspeaker that is driven too hard, and a room, change a copy, but not whose it is."""
    played = np.tanh(4 * clean[:, 1] / np.abs(clean[:, 1]).max())
    for heard in (played * clean[:, 1].std() / played.std(), room(clean[:, 1], 0.6)):
        sound = clean.copy()
        sound[:, 0] += 0.15 * later(heard, 0.08)
        found = speech_intervals(Recording.from_samples(sound, RATE))
        assert overlap(found[0], truth[0]) > 0.93


def test_a_rooms_tail_is_no_speech(clean: np.ndarray, truth: list[np.ndarray]) -> None:
    """The ends of words are where they are without the room, to a tenth of a second on average."""
    sound = clean.copy()
    # The room's words: the call's noise would hide their tail.
    sound[:, 1] = room(clean[:, 1], 0.7)
    found = speech_intervals(Recording.from_samples(sound, RATE))[1]
    late_s = [found[np.abs(found[:, 1] - end).argmin(), 1] - end for end in truth[1][:, 1]]
    assert abs(np.mean(late_s)) < 0.1


def test_one_sound_on_both_channels_is_no_party_a_channel(clean: np.ndarray) -> None:
    """Mono stored as two channels says so, and keeps what is said on either."""
    mono = clean.sum(axis=1)
    found = speech_intervals(Recording.from_samples(np.stack([mono, 0.7 * mono], axis=1), RATE))
    assert found.doubts == (ONE_SOUND, ONE_SOUND)
    assert overlap(found[0], found[1]) > 0.95


def test_speech_that_noise_may_hide_is_in_doubt(clean: np.ndarray) -> None:
    """At 0 dB and below nothing is claimed, at 15 dB everything."""
    rng = np.random.default_rng(0)
    loud = np.sqrt(np.mean(clean[np.abs(clean[:, 0]) > 0.02, 0] ** 2))
    for snr_db, is_doubted in ((-6.0, True), (0.0, True), (15.0, False)):
        noise = loud * 10 ** (-snr_db / 20) * rng.standard_normal(len(clean))
        found = speech_intervals(Recording.from_samples(clean + np.stack([noise, 0 * noise], axis=1), RATE))
        assert (found.doubts[0] is not None) == is_doubted
        assert found.doubts[1] is None


def test_the_model_alone_and_a_function_are_not_doubted(clean: np.ndarray) -> None:
    """Who asks for one detector gets its answer and no other's opinion."""
    recording = Recording.from_samples(clean, RATE)
    assert speech_intervals(recording, speech="silero").doubts == ()
    assert speech_intervals(recording, speech=lambda _samples, _rate: [(0, 1)]).doubts == ()
