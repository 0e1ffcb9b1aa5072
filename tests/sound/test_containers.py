"""What a container says of its own length, held against the bytes that are there."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from tones import encoded, tone

from kataven_notebook import Recording
from kataven_notebook.errors import RecordingCorrupt
from kataven_notebook.sound.containers import check_whole, is_streamed

pytestmark = pytest.mark.core

STATED = [
    ("WAV", "PCM_16"),
    ("WAV", "ULAW"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AU", "ULAW"),
    ("CAF", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("FLAC", "PCM_16"),
]
# Where a writer that streams can't fill in the length: its position, and what it leaves there.
STREAMED = [
    ("WAV", b"data", 4, "<I", 0xFFFF_FFFF),
    ("WAV", b"data", 4, "<I", 0x7FFF_F000),
    ("WAV", b"data", 4, "<I", 0),
    ("AIFF", b"SSND", 4, ">I", 0x7F00_0008),
    ("AIFF", b"SSND", 4, ">I", 0),
    ("AU", b".snd", 8, ">I", 0xFFFF_FFFF),
    ("CAF", b"data", 4, ">q", -1),
    ("W64", b"data", 16, "<Q", (1 << 63) - 1),
]


def look(data: bytes) -> None:
    """Hold a file's length against its bytes."""
    check_whole(io.BytesIO(data))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("kind", "subtype"), STATED)
def test_a_file_that_is_cut_anywhere_is_corrupt(kind: str, subtype: str, full: bool) -> None:  # noqa: FBT001 - a parameter
    """In the middle, in the last block, and where one byte is missing; whole it is fine, and with a tag behind it."""
    rng = np.random.default_rng(5)
    data = encoded(tone(4) + rng.normal(0, 0.02, tone(4).shape), kind, subtype)
    Recording.from_bytes(data).verify(full=full)
    Recording.from_bytes(data + b"TAG" + bytes(125)).verify(full=full)
    for end in [len(data) // 2, len(data) - 4_096, len(data) - 1, *rng.integers(len(data) // 10, len(data), 20)]:
        with pytest.raises(RecordingCorrupt):
            Recording.from_bytes(data[:end]).verify(full=full)


@pytest.mark.parametrize(("kind", "mark", "offset", "layout", "length"), STREAMED)
def test_a_length_that_the_writer_could_not_know_is_no_claim(kind, mark, offset, layout, length) -> None:
    """Such files come from pipes; what is there is all that can be expected."""
    data = bytearray(encoded(tone(), kind, "PCM_16"))
    assert not is_streamed(io.BytesIO(data))
    at = data.find(mark) + offset
    data[at : at + struct.calcsize(layout)] = struct.pack(layout, length)
    assert is_streamed(io.BytesIO(data))
    look(data)
    look(data[: len(data) // 2])


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_may_end_behind_any_page(subtype: str) -> None:
    """So end the recordings of a writer that was killed; within a page, down to its first letter, it is cut."""
    data = encoded(tone(20), "OGG", subtype)
    starts = [at for at in range(len(data)) if data.startswith(b"OggS\x00", at)]
    assert len(starts) > 3
    for start in starts[1:]:
        look(data[:start])
        for more in (1, 3, 4, 26, 27, 28):
            with pytest.raises(RecordingCorrupt, match="cut short"):
                look(data[: start + more])
    look(data + b"something else")
    with pytest.raises(RecordingCorrupt, match="cut short"):
        look(data[: starts[-1]] + b"something else" + data[starts[-1] : -5])


def test_boxes_of_mp4_and_a_segment_of_webm_end_where_they_say() -> None:
    """A box may reach up to the end, wherever that is; a live segment has no length; a tag may follow."""
    box = struct.pack(">I4s", 16, b"ftyp") + b"isom" + bytes(4)
    wide = struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100)
    for whole in (box + wide, box + struct.pack(">I4s", 0, b"mdat") + bytes(9), box + wide + b"TAG" + bytes(125)):
        look(whole)
    head = b"\x1aE\xdf\xa3\x84" + bytes(4) + b"\x18S\x80g"
    look(head + b"\x10\x00\x00\x64" + bytes(100))
    look(head + b"\x01" + b"\xff" * 7 + bytes(50))
    for cut in (box + wide[:-1], box + wide[:60], head + b"\x10\x00\x00\x64" + bytes(99)):
        with pytest.raises(RecordingCorrupt, match="cut short"):
            look(cut)


def test_an_mp3_whose_header_counts_the_whole_file_is_whole() -> None:
    """With the tag before it; most writers count from that header on."""
    data = bytearray(encoded(tone(), "MP3", "MPEG_LAYER_III"))
    tagged = bytearray(b"ID3\x03\x00\x00\x00\x00\x01\x00" + bytes(128)) + data
    look(tagged)
    at = max(tagged.find(b"Xing"), tagged.find(b"Info"))
    tagged[at + 12 : at + 16] = len(tagged).to_bytes(4)
    look(tagged)
    with pytest.raises(RecordingCorrupt, match="cut short"):
        look(tagged[:-1])


@pytest.mark.parametrize(
    "head",
    [
        b"caff\x00\x01\x00\x00desc" + b"\x7f" + b"\xff" * 7,
        b"riff" + bytes(20) + b"wave" + bytes(12) + b"fmt " + bytes(12) + b"\xff" * 8,
        b"\x00\x00\x00\x01ftyp" + b"\xff" * 8,
        b"\x1aE\xdf\xa3\x01" + b"\xff" * 6 + b"\xfe",
        b"FORM\x00\x00\x00\x00AIFFCOMM\xff\xff\xff\xff",
        b".snd" + b"\xff" * 4 + b"\x00\x00\x01\x00",
        b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f",
        b"OggS",
    ],
)
def test_absurd_lengths_take_neither_time_nor_memory(head: bytes) -> None:
    """Whatever a header claims is compared and never followed."""
    for data in (head, head + bytes(100)):
        try:
            look(data)
        except RecordingCorrupt as error:
            assert "cut short" in str(error)  # noqa: PT017 - either is right
