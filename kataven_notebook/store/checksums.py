"""The checksum by which a recording's sound is known in a folder, in a bucket and in memory."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from kataven_notebook.store.entry import named_checksum
from kataven_notebook.store.objects import RemoteObject

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

SHORT_CHARS = 16
"""As much of the checksum as the names of a store's files state."""
_KNOWN: WeakKeyDictionary[Recording, str] = WeakKeyDictionary()
_KNOWN_LOCK = threading.Lock()


def short_checksum(recording: Recording) -> str:
    """Return the first 16 digits of the SHA-256 of a recording's encoded sound, hexadecimal.

    The name of a store's file states them, so that its sound is not read. Other sound is read once.

    Raises
    ------
    OSError
        The file is gone or can't be read.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> one, other = (Recording.from_samples([[0.1]] * 8_000, 8_000) for _ in range(2))
    >>> short_checksum(one) == short_checksum(other)
    True
    """
    source = recording.source
    stated = named_checksum(source.file if isinstance(source, RemoteObject) else recording.path)
    if stated is not None:
        return stated
    with _KNOWN_LOCK:
        known = _KNOWN.get(recording)
    if known is None:
        # Outside the lock, so that one large file holds up no other.
        known = _read(recording)[:SHORT_CHARS]
        with _KNOWN_LOCK:
            _KNOWN[recording] = known
    return known


def _read(recording: Recording) -> str:
    if recording.path is None:
        return hashlib.sha256(recording.encoded()).hexdigest()
    with recording.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
