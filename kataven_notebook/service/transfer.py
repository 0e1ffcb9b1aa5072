"""The bytes of one download that have arrived, and the time that it has taken."""

from __future__ import annotations

import hashlib
import io
import time
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Transfer:
    """The bytes of one recording that have arrived; kept across a broken connection and a new URL.

    Parameters
    ----------
    file
        Receives the bytes; in memory by default. Must be seekable and empty.
    on_begun
        Called when the first bytes arrive, after each start.
    """

    def __init__(self, file: BinaryIO | None = None, *, on_begun: Callable[[], object] = lambda: None) -> None:
        self._on_begun = on_begun
        self.file: BinaryIO = file or io.BytesIO()
        self.received_bytes = 0
        # The most that has been received before a restart, or since.
        self.reached_bytes = 0
        self.total_bytes: int | None = None
        self.etag: str | None = None
        self._sha256 = hashlib.sha256()

    def restart(self) -> None:
        """Discard what has arrived: the object has changed, or can't be resumed."""
        self.file.seek(0)
        self.file.truncate()
        self.received_bytes, self.total_bytes, self.etag = 0, None, None
        self._sha256 = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Append the next bytes."""
        if not self.received_bytes:
            self._on_begun()
        self.file.write(chunk)
        self._sha256.update(chunk)
        self.received_bytes += len(chunk)
        self.reached_bytes = max(self.reached_bytes, self.received_bytes)

    @property
    def sha256(self) -> str:
        """The checksum of what has arrived, hexadecimal."""
        return self._sha256.hexdigest()

    def content(self) -> bytes:
        """All bytes of a transfer in memory."""
        assert isinstance(self.file, io.BytesIO)  # noqa: S101 - used only where no file was given
        return self.file.getvalue()


class Clock:
    """Counts how long one download takes, without the time in which its storage is away.

    Parameters
    ----------
    total_s
        How long it may take, seconds.
    """

    def __init__(self, total_s: float) -> None:
        self._left_s = total_s
        self.ends_at = 0.0

    def __enter__(self) -> Self:
        self.ends_at = time.monotonic() + self._left_s
        return self

    def __exit__(self, *_: object) -> None:
        self._left_s = self.ends_at - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._left_s < 0
