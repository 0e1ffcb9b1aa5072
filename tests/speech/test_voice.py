"""What a channel's voice is like over a call: the same whatever is said, and small."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import kataven_notebook.demo
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.detect import speech_intervals
from kataven_notebook.speech.intervals import tidy
from kataven_notebook.speech.spectrum import FRAME_S, packed
from kataven_notebook.speech.voice import BLOCK_FRAMES, Voice, voice_of

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(0)
SHAPE = np.exp(RANDOM.normal(size=16))


def bands_of(seconds: float, *, level: float = 1e-3, seed: int = 1) -> np.ndarray:
    """Packed band power of a voice of a fixed shape that says something else for each seed."""
    frames = round(seconds / FRAME_S)
    said = np.exp(np.random.default_rng(seed).normal(scale=0.7, size=(frames // 12 + 1, 16)).repeat(12, axis=0))
    return packed((level * SHAPE * said[:frames]).astype(np.float32))


def voice(bands: np.ndarray, spoken: list) -> Voice | None:
    """The voice of a channel with speech where it is said."""
    total = (bands.astype(np.float32) ** 2 / 2.0**28).sum(axis=1)
    return voice_of(bands, total, tidy(spoken))


def test_one_voice_that_says_two_things_stays_within_its_own_spread() -> None:
    """What it says makes it differ by what its blocks of a second lead to expect."""
    one, two = voice(bands_of(20), [(0, 20)]), voice(bands_of(20, seed=2), [(0, 20)])
    assert one is not None
    assert two is not None
    error = np.hypot(one.spread, two.spread) / np.sqrt(one.blocks)
    assert np.abs(one.mean - two.mean).max() < 5 * error.max()
    assert np.all(np.abs(one.mean - two.mean) < 5 * error + 0.02)


def test_only_the_level_changes_with_the_level() -> None:
    """In steps of 3 dB, behind the cepstra."""
    loud, quiet = voice(bands_of(10), [(0, 10)]), voice(bands_of(10, level=1e-4), [(0, 10)])
    assert loud is not None
    assert quiet is not None
    np.testing.assert_allclose(loud.mean[:12], quiet.mean[:12], atol=0.02)
    assert loud.mean[12] - quiet.mean[12] == pytest.approx(10 / 3, abs=0.05)


def test_what_lies_outside_speech_and_is_faint_does_not_count() -> None:
    """Music between words, and the room under them."""
    bands = bands_of(12)
    bands[: round(4 / FRAME_S)] = packed(np.full((1, 16), 0.1, np.float32))
    faint = bands.copy()
    faint[round(10 / FRAME_S) :] = packed(np.full((1, 16), 1e-8, np.float32))
    one, two = voice(bands, [(4, 10)]), voice(faint, [(4, 12)])
    assert one is not None
    assert two is not None
    np.testing.assert_allclose(one.mean, two.mean, atol=0.05)


def test_less_than_three_seconds_are_no_voice() -> None:
    """A word of consent tells nobody."""
    assert voice(bands_of(10), [(1, 3.5)]) is None
    assert voice(bands_of(10), []) is None


def test_an_hour_is_told_from_two_minutes_of_it() -> None:
    """Spread over the whole call, so that memory stays small."""
    long = voice(np.tile(bands_of(60), (5, 1)), [(0, 300)])
    assert long is not None
    assert long.blocks == 120
    assert len(pickle.dumps(long)) < 700
    assert pytest.approx(1.0) == BLOCK_FRAMES * FRAME_S


def test_silence_right_after_speech_is_told_from_silence_that_comes_later() -> None:
    """Synthetic speech ends in nothing; where silence is suppressed, the room is heard a little longer."""
    bands = bands_of(8)
    bands[round(5 / FRAME_S) :] = 0
    synthetic = voice(bands, [(0, 5)])
    suppressed = voice(bands, [(0, 4.7)])
    assert synthetic is not None
    assert suppressed is not None
    assert (synthetic.still_after_speech, suppressed.still_after_speech) == (1.0, 0.0)
    never_silent = voice(bands[: round(5 / FRAME_S)], [(0, 5)])
    assert never_silent is not None
    assert np.isnan(never_silent.still_after_speech)


def test_speech_carries_the_voice_of_each_channel() -> None:
    """And none where nobody speaks."""
    call = Recording.from_file(Path(kataven_notebook.demo.__file__).parent / "calls" / "call_05.flac")
    samples = np.column_stack([call.samples, np.zeros(len(call.samples), np.float32)])
    found = speech_intervals(Recording.from_samples(samples, call.sample_rate), speech="energy")
    assert [one is not None for one in found.voices] == [True, True, False]
