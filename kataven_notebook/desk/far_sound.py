"""A recording behind a URL, read range by range as far as it is decoded: bounded in memory, each byte once."""

from __future__ import annotations

import io
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

import soundfile as sf

from kataven_notebook.errors import DecodeError, DownloadFailed, RecordingCorrupt
from kataven_notebook.service.ranges import RangeReader
from kataven_notebook.sound.containers import check_whole
from kataven_notebook.sound.decode import SoundInfo, check_claims
from kataven_notebook.sound.formats import LOSSLESS, NEEDS_AV, describe, sniff
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt

    from kataven_notebook.service.ranges import Part

_RANGE_BYTES = 1 << 20
# As much is held at once; a format that has to be read whole may not be larger.
MAX_HELD_BYTES = 64 << 20
# How long the storage may be silent.
TIMEOUT_S = 10.0
# A length that nobody stated.
_MAX_FRAMES = 1 << 60


class FarFile(io.RawIOBase):
    """A file whose bytes are fetched when they are read, a range at a time, and held for the next time.

    libsndfile reads it through callbacks, in which an exception is lost: so the file ends where fetching failed, and
    `problem` says why.

    Parameters
    ----------
    fetch
        Returns the range that begins at a byte and has so many, fewer at the end; or all.
    """

    def __init__(self, fetch: Callable[[int, int], Part]) -> None:
        super().__init__()
        self._fetch = fetch
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._asked: set[int] = set()
        self._etag = ""
        self._at = 0
        self.problem: Exception | None = None
        self.size_bytes = 0
        self._range(0)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move without fetching anything; to before the beginning, as damaged headers demand, not at all."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        if start + offset >= 0:
            self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        """Fill a buffer and return how many bytes it has got: fewer only at the end, or at a problem."""
        # libsndfile takes a short read for the end.
        filled = 0
        while filled < len(buffer) and self._at < self.size_bytes:
            index, offset = divmod(self._at, _RANGE_BYTES)
            data = self._range(index)[offset : offset + len(buffer) - filled]
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
            self._at += len(data)
        return filled

    def whole(self) -> bytes:
        """Return all bytes.

        Raises
        ------
        DecodeError
            They are too many to be held.
        Exception
            What ended the fetching.
        """
        if self.size_bytes > MAX_HELD_BYTES:
            megabytes = MAX_HELD_BYTES >> 20
            raise DecodeError(f"it has to be read whole, and is larger than {megabytes} MB: run audio()")
        ranges = -(-self.size_bytes // _RANGE_BYTES)
        data = b"".join(self._range(index) for index in range(ranges))
        self.check()
        return data

    def check(self) -> None:
        """Raise what ended the fetching, if anything has."""
        if self.problem is not None:
            raise self.problem

    def _range(self, index: int) -> bytes:
        if index in self._held:
            return self._held[index]
        if self.problem is None:
            try:
                self._hold(index)
            except Exception as error:  # noqa: BLE001 - kept for `check`, as a callback can't raise
                self.problem = error
        return self._held.get(index, b"")

    def _hold(self, index: int) -> None:
        if index in self._asked:
            raise DecodeError("reading it jumps back and forth in a large file: run audio()")
        self._asked.add(index)
        part = self._fetch(index * _RANGE_BYTES, _RANGE_BYTES)
        if self.size_bytes and (part.total_bytes, part.etag) != (self.size_bytes, self._etag):
            raise DownloadFailed("the recording changed while it was read")
        self.size_bytes, self._etag = part.total_bytes, part.etag
        for start in range(0, max(1, len(part.data)), _RANGE_BYTES):
            self._held[(part.first_byte + start) // _RANGE_BYTES] = part.data[start : start + _RANGE_BYTES]
        # The beginning and the end are read again when a file is opened; of the rest the oldest is let go.
        ends = {0, (self.size_bytes - 1) // _RANGE_BYTES}
        while len(self._held) > MAX_HELD_BYTES // _RANGE_BYTES:
            del self._held[next(each for each in self._held if each not in ends)]


class _Streamed:
    """Sound that is decoded while it is fetched; has what `peak_blocks` asks of a recording."""

    def __init__(self, file: FarFile, sound: sf.SoundFile, kind: str) -> None:
        self._file, self._sound = file, sound
        self.format, self.sample_rate, self.channels = kind, sound.samplerate, sound.channels
        self.frames = sound.frames
        self.duration_s = self.frames / self.sample_rate

    def blocks(self, block_s: float) -> Iterator[npt.NDArray[np.float32]]:
        left = self.frames
        length = max(1, round(block_s * self.sample_rate))
        while left > 0:
            block = self._sound.read(min(length, left), dtype="float32", always_2d=True)
            # What comes after a problem is no sound of this call.
            self._file.check()
            if not len(block):
                raise RecordingCorrupt("the file is cut short")
            left -= len(block)
            yield block


def fetched(url: str, *, session_id: str) -> Recording:
    """Return a recording that is fetched whole.

    Parameters
    ----------
    url, session_id
        Signed; the session, for messages.

    Raises
    ------
    DecodeError
        It is no sound, or larger than 64 MB.
    DownloadFailed
        It did not come.
    """
    with RangeReader(timeout_s=TIMEOUT_S) as reader:
        file = FarFile(lambda at, count: reader.read(url, at, count, max_whole_bytes=MAX_HELD_BYTES))
        file.check()
        return Recording.from_bytes(file.whole(), session_id=session_id)


@contextmanager
def far_sound(file: FarFile) -> Iterator[Recording]:
    """Open a recording behind a URL, to go once through its blocks.

    What libsndfile reads and whose length its beginning states is decoded while it is fetched. Anything else is fetched
    whole first.

    Parameters
    ----------
    file
        Its bytes.

    Yields
    ------
    Recording
        It has the header's facts and `blocks`; more only where it was fetched whole.

    Raises
    ------
    DecodeError
        It is no sound, can't be decoded, or is too large to be read whole.
    Exception
        What ended the fetching.
    """
    file.check()
    head = file.read(256) or b""
    kind = sniff(head)
    if kind is None:
        raise RecordingCorrupt(describe(head))
    states_length = kind in LOSSLESS or kind == "ogg" or any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))
    if kind in NEEDS_AV or not states_length:
        yield Recording.from_bytes(file.whole())
        return
    check_whole(cast("BinaryIO", file))
    file.seek(0)
    try:
        sound = sf.SoundFile(file)
    except sf.LibsndfileError:
        sound = None
    file.check()
    if sound is None or sound.frames > _MAX_FRAMES:
        yield Recording.from_bytes(file.whole())
        return
    with sound:
        info = SoundInfo(kind, sound.subtype.lower(), sound.samplerate, sound.channels, sound.frames)
        check_claims(info, file.size_bytes, None)
        try:
            yield cast("Recording", _Streamed(file, sound, kind))
        except sf.LibsndfileError as error:
            file.check()
            raise RecordingCorrupt(f"the {kind} file breaks off: {str(error.error_string).rstrip('. ')}") from None
