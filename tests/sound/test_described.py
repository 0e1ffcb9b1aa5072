"""What is known of a recording without decoding it."""

from __future__ import annotations

import pytest
from tones import RATE, encoded, tone

from kataven_notebook import Recording

pytestmark = pytest.mark.core


def test_a_recording_says_what_its_header_says(tmp_path) -> None:
    """Length, rate, channels, format and codec, and where it lies."""
    path = tmp_path / "call.flac"
    path.write_bytes(encoded(tone(1.5), "FLAC", "PCM_16"))
    found = Recording.from_file(path, session_id="s1")
    assert (found.sample_rate, found.channels, found.frames, found.duration_s) == (RATE, 2, 12_000, 1.5)
    assert (found.format, found.codec, found.session_id, found.path) == ("flac", "pcm_16", "s1", path)
    assert found.size_bytes == path.stat().st_size
    assert Recording.from_bytes(path.read_bytes()).path is None


class Elsewhere:
    """Sound that is read from another place."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        """Return it."""
        return self._data


def test_sound_that_is_brought_near_stays_what_it_was() -> None:
    """A part of a call that lies in a bucket is no call once it is read."""
    there = Recording.from_bytes(encoded(tone(1.5), "WAV", "PCM_16"), session_id="s1")
    far = Recording(Elsewhere(there.encoded()), there.info, there.size_bytes, session_id="s1")
    assert (far.near().is_in_memory, far.near().is_derived, far.near().session_id) == (True, False, "s1")
    assert far.derived().near().is_derived
    assert there.near() is there
