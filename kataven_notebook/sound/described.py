"""What a recording is without decoding it: whose it is, what its header says, where it lies, and its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from kataven_notebook.sound.source import readable

if TYPE_CHECKING:
    from kataven_notebook.sound.decode import SoundInfo
    from kataven_notebook.sound.source import Source


class DescribedSound:
    """Encoded sound and its description; `Recording` adds what needs a decoder."""

    __slots__ = ("__weakref__", "_bits", "_info", "_is_derived", "_made_of", "_session_id", "_size_bytes", "_source")

    def __init__(self, source: Source, info: SoundInfo, size_bytes: int, *, session_id: str | None = None) -> None:
        # A store gives a file's name as text: in large frames, making a `Path` of each takes most of the time.
        self._source = source
        self._info = info
        self._size_bytes = size_bytes
        self._session_id = session_id
        self._is_derived = False
        # Of sound that was computed and is kept as floats: the bits a sample that a file of it needs.
        self._bits: int | None = None
        # The file of the recording that it was made of.
        self._made_of: str | None = None

    @property
    def session_id(self) -> str | None:
        """The session that it is of, for messages; None where none was given."""
        return self._session_id

    @property
    def is_derived(self) -> bool:
        """Whether it was made of other sound, as a part, a channel or another format, and is none as it came."""
        return self._is_derived

    @property
    def sample_rate(self) -> int:
        """Frames a second, Hz."""
        return self._info.sample_rate

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self._info.channels

    @property
    def frames(self) -> int:
        """Length in frames, by the header (rounded to packets in lossy containers)."""
        return self._info.frames

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._info.duration_s

    @property
    def format(self) -> str:
        """Container: "wav", "flac", "ogg", "mp3", "m4a", "webm", "aiff", "au", ..."""
        return self._info.format

    @property
    def codec(self) -> str:
        """The coding of the samples: "pcm_16", "ulaw", "opus", "vorbis", "aac", ..."""
        return self._info.codec.removeprefix("av:")

    @property
    def info(self) -> SoundInfo:
        """The contents of the header, as the decoder takes them."""
        return self._info

    @property
    def size_bytes(self) -> int:
        """Size of the encoded sound in bytes."""
        return self._size_bytes

    @property
    def source(self) -> Source:
        """What it is read from, for those who keep sound."""
        return self._source

    @property
    def path(self) -> Path | None:
        """The file that it is read from; None where it is in memory or in object storage."""
        return Path(self._source) if isinstance(self._source, str | Path) else None

    @property
    def is_in_memory(self) -> bool:
        """Whether its bytes are in this process's memory."""
        return isinstance(self._source, bytes)

    def encoded(self) -> bytes:
        """Return the bytes of the sound file, unchanged.

        Raises
        ------
        OSError
            The file is gone or can't be read.
        """
        source = readable(self._source)
        return source if isinstance(source, bytes) else source.read_bytes()

    def near(self) -> Self:
        """Return the recording with sound that is read from a bucket once; any other recording is returned as it is.

        Raises
        ------
        StoreError
            The bucket can't be read.
        """
        return self if isinstance(self._source, bytes | str | Path) else self._copied(self._source.read())

    def derived(self) -> Self:
        """Return the same sound marked as made of other sound, which no store takes for its session's."""
        made = self._copied(self._source)
        made._is_derived = True  # noqa: SLF001 - its own class
        return made

    def _copied(self, source: Source) -> Self:
        made = type(self)(source, self._info, self._size_bytes, session_id=self._session_id)
        made._is_derived, made._bits, made._made_of = self._is_derived, self._bits, self._made_of  # noqa: SLF001 - the same
        return made

    def __repr__(self) -> str:
        """Return length, rate, channels and format; never sound."""
        channels = f"{self.channels} channel" + ("" if self.channels == 1 else "s")
        return f"<Recording {self.duration_s:.1f} s, {self.sample_rate} Hz, {channels}, {self.format}>"
