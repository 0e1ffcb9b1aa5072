"""Where a player's sound comes from: the frame, then a store, then a URL signed on demand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from kataven_notebook.errors import ConfigurationError, UrlExpired
from kataven_notebook.frame.columns import (
    CLIP_ID,
    EXPIRES_AT,
    URL,
    as_text,
    recordings_of,
    refuse_clips,
    texts,
    times_s,
)
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.service.answers import may_be_fetched
from kataven_notebook.service.client import HubClient
from kataven_notebook.settings import current_settings
from kataven_notebook.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import pandas as pd

    from kataven_notebook.settings import Settings
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.opening import StoreLike

# A URL that expires sooner would do so while the listener is still deciding.
_MIN_LIFE_S = 20.0


class CallSource(Protocol):
    """Gives a player the sound of a session, or the address of it."""

    def sound(self, session_id: str) -> Recording | None:
        """Return the sound where the kernel has it, else None."""

    def signed_url(self, session_id: str, *, fresh: bool) -> tuple[str, float]:
        """Return a URL that plays, and for how many seconds it will live.

        Parameters
        ----------
        session_id
            Which call.
        fresh
            The last one has expired or soon will: sign anew.

        Raises
        ------
        KatavenError
            There is none; the message says why and what to do.
        """


class FrameSource:
    """The sound and the URLs that a frame holds, then what the two functions can get.

    Parameters
    ----------
    frame
        May hold `audio`, `recording_url` and `recording_expires_at`.
    session
        The session column.
    prefix
        In front of those names.
    stored
        Sound from a store, or None where it has none of this session.
    sign
        Asks the API for a new URL and how long it lives, in seconds; costs one request a call.
    leave_https
        Whether a URL may be plain http on loopback; any other that the service could not have given is ignored.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        session: Hashable,
        prefix: str = "",
        stored: Callable[[str], Recording | None] | None = None,
        sign: Callable[[str], tuple[str, float]] | None = None,
        leave_https: bool = True,
    ) -> None:
        ids = as_text(session_column(frame, session)).tolist()
        self._stored, self._sign = stored, sign
        self._sounds: dict[str, Recording] = {}
        self._urls: dict[str, tuple[str, float | None]] = {}
        urls, ends = texts(frame, prefix + URL), times_s(frame, prefix + EXPIRES_AT)
        for session_id, sound, url, end in zip(ids, recordings_of(frame, prefix), urls, ends, strict=True):
            if sound is not None:
                self._sounds.setdefault(session_id, sound)
            if may_be_fetched(url, leave_https=leave_https):
                self._urls.setdefault(session_id, (url, end))

    def sound(self, session_id: str) -> Recording | None:
        """Return the frame's sound, else the store's, else None."""
        found = self._sounds.get(session_id)
        if found is None and self._stored is not None:
            return self._stored(session_id)
        return found

    def signed_url(self, session_id: str, *, fresh: bool) -> tuple[str, float]:
        """Return the frame's URL while it lives, else a newly signed one.

        Raises
        ------
        UrlExpired
            The frame's URL is dead, and nothing here can sign.
        KatavenError
            The API refused or failed.
        """
        url, end = self._urls.get(session_id, ("", None))
        lives_s = _life_s(end) if url else 0.0
        if url and lives_s > _MIN_LIFE_S and not fresh:
            return url, lives_s
        if self._sign is not None:
            return self._sign(session_id)
        if url and lives_s > 0:
            return url, lives_s
        what = "the signed URL has expired" if url else "there is no sound and no signed URL in the frame"
        raise UrlExpired(f"{what}: run audio() on the frame and open the player again", session_id=session_id)


def _life_s(expires_at: float | None) -> float:
    # Where nothing says when it ends: the service's URLs live five minutes.
    return 300.0 if expires_at is None else expires_at - time.time()


def source_of(
    frame: pd.DataFrame, *, session: Hashable, prefix: str, store: StoreLike, settings: Settings | None
) -> FrameSource:
    """Return where a player's sound comes from: the frame, the store, then a URL signed on demand."""
    refuse_clips(frame, session, prefix=prefix)
    # Neither a store nor the service knows clips by their names.
    are_clips = session == prefix + CLIP_ID
    return FrameSource(
        frame,
        session=session,
        prefix=prefix,
        stored=None if are_clips else _stored_sound(store, settings),
        sign=None if are_clips else _signer(settings),
        leave_https=not current_settings(settings).base_url.startswith("https:"),
    )


def _stored_sound(store: StoreLike, settings: Settings | None) -> Callable[[str], Recording | None] | None:
    """Return what finds a session's sound in the store, or None where there is no store."""
    opened = open_store(store if store is not None else current_settings(settings).store)
    if opened is None:
        return None

    def sound(session_id: str) -> Recording | None:
        entry = opened.load([session_id]).get(session_id)
        return None if entry is None or entry.file is None else opened.recording(entry)

    return sound


def _signer(settings: Settings | None) -> Callable[[str], tuple[str, float]] | None:
    """Return what signs a session's URL anew, or None where there are no credentials to sign with."""
    used = current_settings(settings)
    try:
        used.check_credentials()
    except ConfigurationError:
        return None

    def sign(session_id: str) -> tuple[str, float]:
        with HubClient(used) as client:
            signed = client.sign(session_id)
        return signed.url, signed.expires_at - time.time()

    return sign
