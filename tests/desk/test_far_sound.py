"""Recordings behind a URL, decoded while they are fetched."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pages import sound

from kataven_notebook.desk import far_sound as _far_sound
from kataven_notebook.desk.far_sound import FarFile, far_sound
from kataven_notebook.desk.peaks import peak_blocks
from kataven_notebook.errors import DecodeError, DownloadFailed, RecordingCorrupt
from kataven_notebook.service.ranges import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def _behind_a_url(data: bytes, fetched: Counter[int]) -> Callable[[int, int], Part]:
    def fetch(first_byte: int, count: int) -> Part:
        part = data[first_byte : first_byte + count]
        fetched.update(range(first_byte, first_byte + len(part), 100))
        return Part(part, first_byte, len(data), '"one"')

    return fetch


def _peaks(recording: Recording) -> list[list[int]]:
    blocks = [block.peaks for block in peak_blocks(recording)]
    joined: list[list[int]] = np.concatenate(blocks, axis=1).tolist()
    return joined


@pytest.mark.parametrize(
    "options",
    [
        {"format": "WAV", "subtype": "PCM_16"},
        {"format": "WAV", "subtype": "ULAW"},
        {"format": "FLAC", "subtype": "PCM_16"},
        {"format": "OGG", "subtype": "VORBIS"},
        {"format": "MP3", "subtype": "MPEG_LAYER_III"},
        {"format": "CAF", "subtype": "PCM_16"},
    ],
)
def test_peaks_are_those_of_the_recording_and_each_byte_is_fetched_once(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any format, whole or while it comes."""
    monkeypatch.setattr(_far_sound, "_RANGE_BYTES", 1000)
    monkeypatch.setattr(_far_sound, "MAX_HELD_BYTES", 400_000)
    here = sound(20.0, **options)
    fetched: Counter[int] = Counter()
    with far_sound(FarFile(_behind_a_url(here.encoded(), fetched))) as there:
        assert (there.frames, there.sample_rate, there.channels) == (here.frames, here.sample_rate, here.channels)
        assert _peaks(there) == _peaks(here)
    assert set(fetched.values()) == {1}


def test_memory_is_bounded_where_the_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a WAV file of any length a few ranges are held; what would have to be held whole is refused in words."""
    monkeypatch.setattr(_far_sound, "_RANGE_BYTES", 1000)
    monkeypatch.setattr(_far_sound, "MAX_HELD_BYTES", 8000)
    fetched: Counter[int] = Counter()
    file = FarFile(_behind_a_url(sound(20.0).encoded(), fetched))
    with far_sound(file) as there:
        _peaks(there)
        assert len(file._held) <= 8
    assert set(fetched.values()) == {1}
    file = FarFile(_behind_a_url(b"\x00\x00\x00\x20ftypM4A " + bytes(9000), fetched))
    with pytest.raises(DecodeError, match="larger than"), far_sound(file):
        pass


def test_what_ends_the_fetching_is_raised_and_not_taken_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks, and a recording that is another one by now."""
    monkeypatch.setattr(_far_sound, "_RANGE_BYTES", 1000)
    data = sound(5.0).encoded()

    def breaks(first_byte: int, count: int) -> Part:
        if first_byte > 20_000:
            raise DownloadFailed("the connection broke off")
        return Part(data[first_byte : first_byte + count], first_byte, len(data), "")

    def changes(first_byte: int, count: int) -> Part:
        return Part(data[first_byte : first_byte + count], first_byte, len(data), str(first_byte > 20_000))

    for fetch, words in ((breaks, "broke off"), (changes, "changed while")):
        with far_sound(FarFile(fetch)) as there, pytest.raises(DownloadFailed, match=words):
            _peaks(there)


@pytest.mark.parametrize("data", [b"", b"<!doctype html><html>Sign in</html>", sound(5.0).encoded()[:30_000]])
def test_what_is_no_whole_sound_is_refused_in_words(data: bytes) -> None:
    """Nothing, a page, and a file that was cut."""
    with pytest.raises(RecordingCorrupt), far_sound(FarFile(_behind_a_url(data, Counter()))) as there:
        _peaks(there)
