"""Where encoded sound is: in memory, in a file, or in another place such as a bucket."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, Protocol


class RemoteSound(Protocol):
    """Encoded sound in another place, such as a bucket, which is read at each use."""

    def read(self) -> bytes:
        """Return the encoded bytes.

        Raises
        ------
        StoreError
            The place can't be read.
        """


# Text is the path of a file.
Source = bytes | str | Path | RemoteSound


def readable(source: Source) -> bytes | Path:
    """Return what a decoder can open: bytes or a path; a remote source is read.

    Raises
    ------
    StoreError
        The remote place can't be read.
    """
    if isinstance(source, str):
        return Path(source)
    return source if isinstance(source, bytes | Path) else source.read()


class _Seeking:
    """A file in which seeking to before the beginning, as damaged headers demand, changes nothing.

    libsndfile calls back into Python; an exception there can't be caught and is printed to the screen.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move where that is possible, and return the position."""
        try:
            return super().seek(offset, whence)  # type: ignore[misc,no-any-return]  # the file class of a subclass
        except (ValueError, OSError):
            return self.tell()  # type: ignore[attr-defined,no-any-return]  # the same


class _Bytes(_Seeking, io.BytesIO):
    """Encoded sound in memory."""


class _File(_Seeking, io.BufferedReader):
    """Encoded sound in a file."""


def open_bytes(source: bytes | Path) -> BinaryIO:
    """Open encoded sound for reading: bytes in memory or a file.

    Raises
    ------
    OSError
        The file can't be opened.
    """
    return _Bytes(source) if isinstance(source, bytes) else _File(io.FileIO(source))
