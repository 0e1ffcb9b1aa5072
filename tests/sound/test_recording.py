"""`Recording`: parts, blocks, cells and pickles, with the sound as it was."""

from __future__ import annotations

import json
import math
import pickle
import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from tones import RATE, encoded, tone

from kataven_notebook import Recording
from kataven_notebook.errors import RecordingCorrupt

pytestmark = pytest.mark.core


def test_blocks_join_to_the_whole_and_overlap_as_asked() -> None:
    """Every frame comes once, plus the overlap."""
    recording = Recording.from_samples(tone(2.3), RATE)
    blocks = list(recording.blocks(0.5))
    assert {len(block) for block in blocks[:-1]} == {RATE // 2}
    assert np.array_equal(np.concatenate(blocks), recording.samples)
    overlapping = list(recording.blocks(0.5, overlap_s=0.1))
    assert all(np.array_equal(a[-800:], b[:800]) for a, b in pairwise(overlapping))
    assert np.array_equal(np.concatenate([overlapping[0], *(b[800:] for b in overlapping[1:])]), recording.samples)


def test_an_hour_in_blocks_needs_no_more_memory_than_a_minute() -> None:
    """Only one block is in memory at a time."""
    silence = np.zeros((RATE * 600, 2), dtype=np.int16)
    recording = Recording.from_bytes(encoded(silence, "FLAC", "PCM_16"))
    del silence
    tracemalloc.start()
    frames = sum(len(block) for block in recording.blocks(10.0))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == 600 * RATE
    assert peak_bytes < 5 << 20


def test_parts_are_recordings_too() -> None:
    """A channel, the mean, a part and another rate, each with the right sound."""
    sound = tone()
    recording = Recording.from_samples(sound, RATE, session_id="s1")
    assert np.array_equal(recording.channel(1).samples[:, 0], sound[:, 1])
    assert np.array_equal(recording.channel(-1).samples, recording.channel(1).samples)
    assert np.allclose(recording.mono().samples[:, 0], sound.mean(axis=1), atol=1e-6)
    assert np.array_equal(recording.slice(0.5, 1.0).samples, sound[4_000:8_000])
    assert recording.slice(1.5, 99).duration_s == pytest.approx(0.5)
    assert recording.slice(-math.inf, math.inf).frames == recording.frames
    doubled = recording.resample(16_000)
    assert (doubled.sample_rate, doubled.frames) == (16_000, 32_000)
    assert np.abs(np.fft.rfft(doubled.samples[:16_000, 0])).argmax() == pytest.approx(300, abs=1)
    assert doubled.session_id == "s1"
    assert recording.resample(RATE) is recording


def test_a_part_behind_the_end_of_a_file_that_is_cut_short_is_corrupt() -> None:
    """The header promises it, and nothing comes."""
    data = encoded(tone(10), "MP3", "MPEG_LAYER_III")
    recording = Recording.from_bytes(data[: len(data) // 2])
    with pytest.raises(RecordingCorrupt, match=r"the file ends before 9\.0 s of 10\.\d s"):
        recording.slice(9, 10)


def test_wrong_arguments_are_named() -> None:
    """An IndexError or ValueError says what was wrong."""
    recording = Recording.from_samples(tone(), RATE)
    with pytest.raises(IndexError, match="no channel 2: pass 0 to 1"):
        recording.channel(2)
    with pytest.raises(ValueError, match="nothing lies between"):
        recording.slice(5, 6)
    with pytest.raises(ValueError, match="nothing lies between nan s and 1 s"):
        recording.slice(math.nan, 1)
    with pytest.raises(ValueError, match="sample_rate=0"):
        recording.resample(0)
    with pytest.raises(ValueError, match="block_s"):
        next(recording.blocks(0))
    with pytest.raises(ValueError, match="at least one frame"):
        Recording.from_samples(np.zeros((0, 2)), RATE)


def test_pandas_keeps_it_whole_and_it_shows_no_sound() -> None:
    """No length, no sequence; repr and JSON hold no sample; equality is identity."""
    recording = Recording.from_samples(tone(), RATE)
    frame = pd.DataFrame({"audio": [recording, None]})
    assert frame.loc[0, "audio"] is recording
    assert not hasattr(recording, "__len__")
    assert not hasattr(recording, "__array__")
    assert repr(recording) == "<Recording 2.0 s, 8000 Hz, 2 channels, wav>"
    assert recording == recording  # noqa: PLR0124 - identity is the point
    assert recording != Recording.from_bytes(recording.encoded())
    assert len(frame.to_html()) < 2_000
    with pytest.raises((TypeError, OverflowError, ValueError)):
        json.dumps(recording)


def test_it_pickles_as_its_path_where_it_has_one(tmp_path) -> None:
    """Sound is not copied about between processes that share a disk."""
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(tone(), "WAV", "PCM_16"))
    filed = Recording.from_file(path, session_id="s1")
    assert len(pickle.dumps(filed)) < 1_000
    again = pickle.loads(pickle.dumps(filed))  # noqa: S301 - our own
    assert (again.path, again.session_id) == (path, "s1")
    assert np.array_equal(again.samples, filed.samples)
    held = Recording.from_bytes(path.read_bytes())
    assert pickle.loads(pickle.dumps(held)).encoded() == path.read_bytes()  # noqa: S301 - our own


def test_errors_name_the_session() -> None:
    """Whoever reads a traceback sees which call it was."""
    with pytest.raises(RecordingCorrupt, match="session 's42'"):
        Recording.from_bytes(b"", session_id="s42")


def test_what_is_made_of_other_sound_says_so() -> None:
    """A part, a channel, another rate; also after it was pickled, as frames are."""
    tone = np.sin(np.arange(8_000) / 10)
    made = Recording.from_samples(np.column_stack([tone, tone]), 8_000, session_id="s1")
    whole = Recording.from_bytes(made.encoded(), session_id="s1")
    assert not whole.is_derived
    assert not pickle.loads(pickle.dumps(whole)).is_derived  # noqa: S301 - our own
    for each in (made, whole.slice(0, 0.5), whole.channel(0), whole.mono(), whole.resample(16_000), whole.derived()):
        assert each.is_derived
        assert pickle.loads(pickle.dumps(each)).is_derived  # noqa: S301 - our own
        assert each.session_id == "s1"
    assert not whole.is_derived
