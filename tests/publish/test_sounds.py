"""Clips as a page holds them."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from kataven_notebook.publish.sounds import RATE_HZ, clock, data_url, drawing
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def tones(*hz: float, seconds: float = 2.0, rate: int = 8_000) -> Recording:
    """A tone a channel."""
    t = np.arange(int(seconds * rate)) / rate
    return Recording.from_samples(np.column_stack([0.4 * np.sin(2 * np.pi * each * t) for each in hz]), rate)


def decoded(url: str) -> tuple[bytes, Recording]:
    """The file in an address, and the recording in it."""
    head, _, text = url.partition(",")
    assert head == "data:audio/mpeg;base64"
    data = base64.b64decode(text)
    return data, Recording.from_bytes(data)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100])
def test_a_clip_is_mp3_that_every_browser_plays(rate: int) -> None:
    """At 16 kHz, 32 kbit/s, each channel where it was."""
    data, sound = decoded(data_url(tones(300.0, 1_100.0, rate=rate)))
    assert (sound.format, sound.sample_rate, sound.channels) == ("mp3", RATE_HZ, 2)
    assert abs(len(data) * 8 / sound.duration_s - 32_000) < 2_500
    samples = sound.samples[8_000:24_000]
    loudest = np.abs(np.fft.rfft(samples, axis=0)).argmax(axis=0)
    np.testing.assert_allclose(loudest, [300, 1_100], atol=2)


def test_more_channels_than_ears_are_mixed() -> None:
    """MP3 holds two."""
    assert decoded(data_url(tones(300.0, 500.0, 700.0)))[1].channels == 1


def test_the_same_sound_is_the_same_text() -> None:
    """So that reports can be compared."""
    assert data_url(tones(300.0)) == data_url(tones(300.0))


def test_what_is_no_sound_in_the_samples_is_silence() -> None:
    """NaN and infinity are neither heard nor drawn."""
    broken = Recording.from_samples(np.full((8_000, 1), 0.0), 8_000)
    samples = np.zeros((8_000, 1), dtype=np.float32)
    samples[10], samples[11] = np.nan, np.inf
    broken = Recording.from_samples(samples, 8_000)
    assert decoded(data_url(broken))[1].duration_s > 0.9
    assert "nan" not in drawing(broken, (0.0, 1.0))


def test_the_moment_is_marked_where_it_is() -> None:
    """From 0.5 s to 1.5 s of a clip of 2 s."""
    picture = drawing(tones(300.0, 500.0), (0.5, 1.5), roles=["caller", "agent"], start_s=60.0)
    assert 'class="moment" x="180.0" y="0" width="360.0"' in picture
    assert re.findall(r'path class="(\w+)"', picture) == ["caller", "agent"]
    assert re.findall(r">([\d:.]+)</span>", picture) == ["1:00.0", "1:00.5", "1:02.0"]


@pytest.mark.parametrize("moment", [(-5.0, 50.0), (1.0, 1.0), (9.0, 9.5)])
def test_a_moment_beyond_the_clip_is_drawn_within_it(moment: tuple[float, float]) -> None:
    """However long it is."""
    left, wide = map(
        float, re.findall(r'class="moment" x="([\d.]+)" y="0" width="([\d.]+)"', drawing(tones(300.0), moment))[0]
    )
    assert left >= 0
    assert wide >= 2
    assert left + wide <= 722


def test_places_in_a_call_are_minutes_and_seconds() -> None:
    """To the tenth, without 60 seconds."""
    assert [clock(each) for each in (0.0, 59.96, 3_599.9, -1.0)] == ["0:00.0", "1:00.0", "59:59.9", "0:00.0"]
