"""Takes sound that is here already, in memory or in other files, into a store."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from kataven_notebook.errors import DecodeError, Interrupted
from kataven_notebook.store.entry import named_checksum
from kataven_notebook.store.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.folder import Store

_PIECE_BYTES = 4_194_304


def take_in(
    store: Store, recordings: Mapping[str, Recording], *, full: bool = False, progress: bool | None = None
) -> dict[str, Recording | None]:
    """Keep the sound of sessions in a store, and return the store's recording of each.

    Parameters
    ----------
    store
        Where to.
    recordings
        By session id; each is the session's sound as it came.
    full
        Decode all of each, not only the first and last second.
    progress
        Show a progress bar; by default in notebooks and terminals.

    Returns
    -------
    dict
        The store's recording; None where the sound can't be read or is damaged, so that it has to be fetched.

    Raises
    ------
    StoreError
        The store can't be written.
    Interrupted
        Somebody pressed stop; what was taken in is in the store.
    """
    taken: dict[str, Recording | None] = {}

    def take(each: tuple[str, Recording]) -> Recording | None:
        return _taken(store, *each, full=full)

    try:
        for (session_id, _), kept in sweep(take, list(recordings.items()), label="Storing", progress=progress):
            taken[session_id] = kept
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: the sound of {len(taken):,} of {len(recordings):,} sessions of the frame is in the store; "
            "the same call goes on"
        ) from None
    return taken


def _taken(store: Store, session_id: str, recording: Recording, *, full: bool) -> Recording | None:
    digest, size_bytes = hashlib.sha256(), 0
    with store.part() as part:
        for piece in _pieces(recording):
            part.write(piece)
            digest.update(piece)
            size_bytes += len(piece)
        # A file of another store, or of this one, has a part of its checksum in its name.
        stated = named_checksum(recording.path) or ""
        if size_bytes != recording.size_bytes or not digest.hexdigest().startswith(stated):
            return None
        try:
            store.arrived(session_id, part).verify(full=full)
            return store.keep(session_id, part, digest.hexdigest())
        except DecodeError:
            return None


def _pieces(recording: Recording) -> Iterator[bytes]:
    """Yield the encoded sound; of a file in pieces, and nothing more of what is gone or can't be read."""
    with contextlib.suppress(OSError):
        if recording.path is None:
            yield recording.encoded()
            return
        with recording.path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
