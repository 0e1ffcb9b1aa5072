"""What a container says of its own length: how many bytes are missing at the end of a file that was cut short.

Decoders read what is there, and some take that for all there was. A container states lengths beside the
sound: of the file, of its parts, or of each page. Read here is only where the last part ends, from headers
and the last page, so that it costs next to nothing. A length that a writer could not know, since it streamed,
is no claim, and nothing here allocates memory for one.

What can't be told: that a file from a pipe, which states no length, was cut; that an Ogg file was cut between two
pages; that an MP3 file without a Xing or Info header was cut. FLAC and AAC need no word here: their decoders fail
where a block is cut.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, BinaryIO

from kataven_notebook.errors import RecordingCorrupt
from kataven_notebook.sound.formats import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# A file of nothing but empty chunks would keep a thread busy for minutes.
_MAX_CHUNKS = 10_000
# What streaming writers leave for 32 bits: zero, all ones, or about 2 GiB (sox: from 0x7F000000).
_STREAMED_32 = 0x7EFF_0000
_STREAMED_64 = 1 << 62
_NOT_STATED = 0
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_W64_START = 40
_OGG_HEAD_BYTES = 27
_MP4_BOXES = frozenset(b"ftyp moov mdat free skip wide moof mfra sidx styp uuid udta meta emsg prft".split())
# No page of Ogg is longer: its head, 255 segments, and what they hold.
_OGG_PAGE_BYTES = _OGG_HEAD_BYTES + 255 + 255 * 255
_MP3_HEAD_BYTES = 256


def check_whole(file: BinaryIO, session_id: str | None = None) -> None:
    """Raise for a file that ends before its container says it does.

    Parameters
    ----------
    file
        Encoded sound; its position is moved.
    session_id
        The session, for messages.

    Raises
    ------
    RecordingCorrupt
        It is cut short, or a WAV file without the part that holds the sound.
    """
    kind, end, size_bytes = _stated(file)
    if end is None and kind == "wav":
        raise RecordingCorrupt("the WAV file holds no sound: its data part is missing", session_id=session_id)
    if end is not None and end > size_bytes:
        raise RecordingCorrupt(
            f"the file is cut short: its header promises {end - size_bytes:,} bytes more than there are",
            session_id=session_id,
        )


def is_streamed(file: BinaryIO) -> bool:
    """Whether the container does not say how long it is: its writer could not go back to fill that in."""
    return _stated(file)[1] == _NOT_STATED


def _stated(file: BinaryIO) -> tuple[str | None, int | None, int]:
    """Return format, where the last part is said to end, and the size of the file."""
    size_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(64)
    kind = sniff(head)
    read = _ENDS.get(kind) if kind is not None else None
    return kind, None if read is None else read(file, head, size_bytes), size_bytes


def _chunks(
    file: BinaryIO, size_bytes: int, start: int, head: str, *, padded_to: int = 1, with_head: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, position of the contents, and stated length of each part of a file of chunks."""
    position = start
    size = struct.calcsize(head)
    for _ in range(_MAX_CHUNKS):
        if position > size_bytes:
            return
        file.seek(position)
        read = file.read(size)
        if len(read) < size:
            return
        name, length = struct.unpack(head, read)
        if with_head:
            length = max(0, length - size)
        yield name, position + size, length
        position += size + length + -length % padded_to


def _wav_end(file: BinaryIO, head: bytes, size_bytes: int) -> int | None:
    wide: int | None = None
    order = ">" if head[:4] == b"RIFX" else "<"
    for name, at, length in _chunks(file, size_bytes, 12, order + "4sI", padded_to=2):
        if name == b"ds64" and head[:4] == b"RF64":
            file.seek(at + 8)
            wide = int.from_bytes(file.read(8), "little")
        if name == b"data":
            if wide is not None and length == 0xFFFF_FFFF:
                return at + wide if 0 < wide < _STREAMED_64 else _NOT_STATED
            return at + length if 0 < length < _STREAMED_32 else _NOT_STATED
    return None


def _aiff_end(file: BinaryIO, _head: bytes, size_bytes: int) -> int | None:
    for name, at, length in _chunks(file, size_bytes, 12, ">4sI", padded_to=2):
        if name == b"SSND":
            return at + length if 0 < length < _STREAMED_32 else _NOT_STATED
    return None


def _au_end(_file: BinaryIO, head: bytes, _size_bytes: int) -> int | None:
    if len(head) < 12:
        return None
    at, length = struct.unpack("<II" if head[:4] == b"dns." else ">II", head[4:12])
    return at + length if 0 < length < _STREAMED_32 else _NOT_STATED


def _caf_end(file: BinaryIO, _head: bytes, size_bytes: int) -> int | None:
    for name, at, length in _chunks(file, size_bytes, 8, ">4sQ"):
        if name == b"data":
            return at + length if 0 < length < _STREAMED_64 else _NOT_STATED
    return None


def _w64_end(file: BinaryIO, _head: bytes, size_bytes: int) -> int | None:
    # Its lengths include the head of the chunk.
    for name, at, length in _chunks(file, size_bytes, _W64_START, "<16sQ", padded_to=8, with_head=True):
        if name == _W64_DATA:
            return at + length if 0 < length < _STREAMED_64 else _NOT_STATED
    return None


def _mp4_end(file: BinaryIO, _head: bytes, size_bytes: int) -> int | None:
    position = 0
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        read = file.read(16)
        if read[4:8] not in _MP4_BOXES:
            return None  # the end, or what somebody put behind it
        length = int.from_bytes(read[:4])
        if length == 1:
            length = int.from_bytes(read[8:16])
        if length < 8:  # 0: up to the end of the file, wherever that is
            return _NOT_STATED if length == 0 else None
        position += length
        if position > size_bytes:
            return position
    return None


def _webm_end(file: BinaryIO, _head: bytes, _size_bytes: int) -> int | None:
    """Return the end of the segment, which stands behind the head of the file."""
    position = 0
    for name in (b"\x1aE\xdf\xa3", b"\x18S\x80g"):
        file.seek(position)
        read = file.read(12)
        if read[:4] != name or len(read) < 12 or not read[4]:
            return None
        # As many bytes as the first one has zero bits before its first one bit; all ones is "unknown".
        count = 9 - read[4].bit_length()
        mask = (1 << 7 * count) - 1
        length = int.from_bytes(read[4 : 4 + count]) & mask
        position += 4 + count + length
    return _NOT_STATED if length == mask else position


def _mp3_end(file: BinaryIO, head: bytes, size_bytes: int) -> int | None:
    """Return the end that a Xing or Info header states.

    Some writers leave that header itself out of the count, which is then a little short; others count the whole
    file, a tag before it included.
    """
    start = id3_bytes(head)
    file.seek(start)
    first = file.read(_MP3_HEAD_BYTES)
    at = max(first.find(b"Xing"), first.find(b"Info"))
    if at < 0 or len(first) < at + 16:
        return None
    flags = int.from_bytes(first[at + 4 : at + 8])
    if not flags & 2:
        return None
    position = at + (12 if flags & 1 else 8)
    stated = int.from_bytes(first[position : position + 4])
    return stated if stated == size_bytes else start + stated


def id3_bytes(head: bytes) -> int:
    """Return the length of the ID3 tag that a file begins with, 0 where there is none."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    # Its length is stored in seven bits of each byte.
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _ogg_end(file: BinaryIO, _head: bytes, size_bytes: int) -> int | None:
    """Return the end of the last page.

    A file that ends between two pages is taken for whole, also where no page says that it is the last one: so end
    the recordings of a writer that was killed, and whatever it has written is there.
    """
    start = max(0, size_bytes - 2 * _OGG_PAGE_BYTES)
    file.seek(start)
    tail = file.read(2 * _OGG_PAGE_BYTES)
    position = tail.find(b"OggS")
    while position >= 0:
        segments = tail[position + _OGG_HEAD_BYTES :][: tail[position + 26]] if len(tail) > position + 26 else b""
        if len(tail) < position + _OGG_HEAD_BYTES or len(segments) < tail[position + 26]:
            return start + max(len(tail) + 1, position + _OGG_HEAD_BYTES)
        position += _OGG_HEAD_BYTES + len(segments) + sum(segments)
        if position >= len(tail):
            return start + position
        if tail[position : position + 4] != b"OggS"[: len(tail) - position]:
            # Something else behind a page, such as a tag: it is passed over.
            position = tail.find(b"OggS", position)
        elif len(tail) - position < 4:
            return start + position + _OGG_HEAD_BYTES
    return None


_ENDS: Mapping[str, Callable[[BinaryIO, bytes, int], int | None]] = {
    "wav": _wav_end,
    "aiff": _aiff_end,
    "au": _au_end,
    "caf": _caf_end,
    "w64": _w64_end,
    "m4a": _mp4_end,
    "webm": _webm_end,
    "mp3": _mp3_end,
    "ogg": _ogg_end,
}
