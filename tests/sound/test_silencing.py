"""What is taken out of sound is gone, at the same length, without a click, in every format that it is saved in."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tones import RATE, encoded, tone

from kataven_notebook import Recording

pytestmark = pytest.mark.core

SECRET = slice(RATE // 2, RATE)
"""Half a second, which is to be taken out."""
FADE = round(0.01 * RATE)


def two_parts() -> np.ndarray:
    """Two seconds of a low tone on both channels; within the secret part a high one that is heard nowhere else."""
    time = np.arange(2 * RATE) / RATE
    samples = np.repeat(0.3 * np.cos(2 * np.pi * 200 * time)[:, None], 2, axis=1)
    samples[SECRET] += 0.3 * np.sin(2 * np.pi * 3_000 * time[SECRET])[:, None]
    return samples


def high_power(samples: np.ndarray) -> float:
    """The power around 3 kHz, relative to that of the whole."""
    spectrum = np.abs(np.fft.rfft(samples[:, 0])) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(spectrum[(hz > 2_800) & (hz < 3_200)].sum() / spectrum.sum())


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_nothing_is_left_and_the_rest_is_as_it_was(subtype) -> None:
    """Silence in the interval, a fade of 10 ms outside of it, and every other sample as it was, in its own width."""
    recording = Recording.from_bytes(encoded(two_parts(), "WAV", subtype), session_id="a")
    found = recording.silenced([(0.5, 1.0)])
    before, after = recording.samples, found.samples
    assert (found.frames, found.sample_rate, found.channels) == (recording.frames, RATE, 2)
    assert found.is_derived
    assert found.session_id == "a"
    assert not after[SECRET].any()
    assert np.array_equal(after[: SECRET.start - FADE], before[: SECRET.start - FADE])
    assert np.array_equal(after[SECRET.stop + FADE :], before[SECRET.stop + FADE :])
    expected = {"ULAW": "pcm_16"}.get(subtype, subtype.lower())
    assert found.codec == expected
    # Nowhere does it jump further than the sound itself does, one step of its width aside.
    assert np.abs(np.diff(after[:, 0])).max() <= np.abs(np.diff(before[: SECRET.start, 0])).max() + 2 / 128
    assert np.abs(after[SECRET.start - FADE : SECRET.start]).any()


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "ogg", "opus"])
def test_what_is_saved_has_nothing_of_it_either(tmp_path, ending) -> None:
    """Lossy codecs spread what they are given, and are given nothing of it."""
    recording = Recording.from_bytes(encoded(two_parts(), "WAV", "PCM_16"))
    whole = Recording.from_file(recording.save(tmp_path / f"whole.{ending}"))
    clean = Recording.from_file(recording.silenced([(0.5, 1.0)]).save(tmp_path / f"clean.{ending}"))
    assert high_power(whole.samples) > 0.05
    assert high_power(clean.samples) < 1e-3
    assert clean.duration_s == pytest.approx(whole.duration_s, abs=0.05)


def test_a_lossy_recording_can_be_silenced_too(tmp_path) -> None:
    """Its own bytes are not kept."""
    lossy = Recording.from_file(Recording.from_samples(two_parts(), RATE).save(tmp_path / "a.mp3"))
    clean = lossy.silenced([(0.45, 1.05)])
    assert clean.format == "wav"
    assert high_power(clean.samples) < 1e-3


@pytest.mark.parametrize(
    "intervals",
    [
        [(0.5, 1.0)],
        np.array([[0.5, 1.0]]),
        ((0.5, 0.75), (0.75, 1.0)),
        [(0.7, 1.0), (0.5, 0.8)],
        [(0.6, 0.7), (0.5, 1.0)],
        pd.DataFrame({"start_s": [0.5], "end_s": [1.0]}),
        pd.DataFrame({"start_s": [0.5], "end_s": [1.0]}, dtype="Float64"),
        ([(0.5, 1.0)], [(0.5, 1.0)]),
        np.array([[[0.5, 1.0]], [[0.5, 1.0]]]),
    ],
)
def test_intervals_come_in_any_order_and_form(intervals) -> None:
    """Overlapping, touching, one in the other, as a table, or one list a channel."""
    recording = Recording.from_samples(two_parts(), RATE)
    expected = recording.silenced([(0.5, 1.0)])
    assert np.array_equal(recording.silenced(intervals).samples, expected.samples)


def test_channels_can_be_silenced_alone() -> None:
    """The other party's sound stays as it was; None and an empty list are nothing to take out."""
    recording = Recording.from_samples(tone(2.0), RATE)
    for none in (None, [], np.empty((0, 2))):
        found = recording.silenced([none, [(0.5, 1.0)]]).samples
        assert np.array_equal(found[:, 0], recording.samples[:, 0])
        assert not found[SECRET, 1].any()
    for nothing in ([], [None, []], np.empty((0, 2)), pd.DataFrame({"start_s": [], "end_s": []})):
        assert recording.silenced(nothing) is recording


def test_what_lies_beyond_the_ends_is_cut_off() -> None:
    """A last word may end after the call, and the whole call may be taken out."""
    recording = Recording.from_samples(two_parts(), RATE)
    assert not recording.silenced([(-0.5, 0.5), (1.5, 2.2), (2.1, 2.4)]).samples[: RATE // 2].any()
    assert not recording.silenced([(1.5, math.inf)]).samples[3 * RATE // 2 :].any()
    assert not recording.silenced([(0, 2)]).samples.any()
    assert recording.silenced([(1.99999, 2.0)]).samples[-1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        ([(1.0, 0.5)], r"interval 0 \(1 to 0.5 s\) takes nothing out: its end must lie after its start"),
        ([(0.5, 1.0), (1.2, 1.2)], r"interval 1 \(1.2 to 1.2 s\) takes nothing out"),
        ([(0.5, math.nan)], "takes nothing out"),
        ([(math.nan, 1.0)], "takes nothing out"),
        ([[(0.5, 1.0)], [(0.5, None)]], "interval 0 of channel 1 is"),
        ([(500, 1_000)], r"interval 0 \(500 to 1000 s\) lies outside of the recording of 2.0 s: pass seconds"),
        ([(-9, -8)], "lies outside"),
        ([("a", "b")], "pass numbers, in seconds"),
        ([(0.5, 1.0, 2.0)], "no pairs"),
        ([[(0.5, 1.0)], [(0.5, 1.0)], [(0.5, 1.0)]], "are no pairs of start and end"),
        ([(0.5, 1.0), [(0.5, 1.0)]], "are no pairs of start and end"),
        ((0.5, 1.0), r"intervals=\(0.5, 1.0\) are no pairs of start and end: pass .* such as \[\(12.5, 14.0\)\]"),
        (np.array([0.5, 1.0]), "are no pairs"),
        ("0.5-1.0", "are no pairs"),
        (0.5, r"intervals=0.5: pass \(n, 2\) seconds"),
        (pd.DataFrame({"start_s": [pd.NA], "end_s": [1.0]}), "pass numbers, in seconds"),
    ],
)
def test_intervals_that_would_take_nothing_out_are_refused(intervals, said) -> None:
    """A name that stays in because of a typing error is heard by whoever gets the file."""
    with pytest.raises(ValueError, match=said):
        Recording.from_samples(two_parts(), RATE).silenced(intervals)


def test_samples_that_are_no_numbers_become_silence() -> None:
    """No factor makes silence of NaN."""
    samples = two_parts()
    samples[SECRET] = np.nan
    samples[-1] = np.inf
    found = Recording.from_samples(samples, RATE).silenced([(0.5, 1.0)]).samples
    assert not found[SECRET].any()
    assert np.isfinite(Recording.from_samples(samples, RATE).silenced([(0.5, 1.0)], beep=True).samples[SECRET]).all()


def test_a_beep_is_as_loud_as_the_speech_and_begins_without_a_click() -> None:
    """And has nothing of what it stands for."""
    recording = Recording.from_bytes(encoded(two_parts(), "WAV", "PCM_16"))
    found = recording.silenced([(0.5, 1.0)], beep=True)
    part = found.samples[SECRET, 0]
    assert found.codec == "pcm_16"
    assert np.abs(np.fft.rfft(part)).argmax() / 0.5 == 1_000
    assert high_power(found.samples) < 1e-3
    assert 20 * math.log10(np.sqrt(np.mean(part**2))) == pytest.approx(-16, abs=0.6)
    assert np.abs(part[:3]).max() < 0.01
    assert np.abs(part[-3:]).max() < 0.01
    quiet = Recording.from_samples(two_parts() * 0.1, RATE).silenced([(0.5, 1.0)], beep=True).samples[SECRET, 0]
    assert 20 * math.log10(np.sqrt(np.mean(quiet**2))) == pytest.approx(-33.5, abs=0.6)
    silent = Recording.from_samples(np.zeros((RATE, 1)), RATE).silenced([(0, 1)], beep=True).samples
    assert 20 * math.log10(np.sqrt(np.mean(silent**2))) == pytest.approx(-36, abs=0.3)


def test_intervals_of_a_frame_or_less_are_taken_out_whole() -> None:
    """Every frame that an interval touches, at any rate."""
    for rate in (8_000, 11_025, 44_100):
        recording = Recording.from_samples(np.ones((rate, 1)) * 0.5, rate)
        for beep in (False, True):
            found = recording.silenced([(0.30001, 0.30002)], beep=beep).samples[:, 0]
            assert abs(found[math.floor(0.30001 * rate)]) < 0.25
            assert found[-1] == 0.5
