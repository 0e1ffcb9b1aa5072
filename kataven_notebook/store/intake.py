"""Takes sound that is here already, in memory or in other files, into a store."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kataven_notebook.errors import DecodeError, Interrupted
from kataven_notebook.store.entry import named_checksum
from kataven_notebook.store.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.folder import Store


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
    try:
        data = recording.encoded()
    except OSError:  # a file, or a bucket, that is gone
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    # A file of another store, or of this one, has a part of its checksum in its name.
    stated = named_checksum(recording.path)
    if len(data) != recording.size_bytes or (stated is not None and not sha256.startswith(stated)):
        return None
    with store.part() as part:
        part.write(data)
        try:
            store.arrived(session_id, part).verify(full=full)
            return store.keep(session_id, part, sha256)
        except DecodeError:
            return None
