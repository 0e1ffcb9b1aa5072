"""Signing for a whole run: what one answer says about the account or the budget holds for all sessions."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from kataven_notebook import errors
from kataven_notebook.signals import NotAttempted, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.service.client import HubClient

# The first request goes alone, so that a wrong key costs one and not twenty; for so long at most.
_ALONE_S = 2.0
_LOOK_S = 0.05
# How often a session that waits for the budget looks whether it is still wanted.
_WANTED_S = 0.5


class _Halt(threading.Event):
    """The stop of all, and for one session that waits: another process may have settled it."""

    def __init__(self, halt: threading.Event, still_wanted: Callable[[], object]) -> None:
        super().__init__()
        self._halt = halt
        self._still_wanted = still_wanted
        self._looked_at: float | None = None

    def is_set(self) -> bool:
        """Whether all is to stop; what `still_wanted` raises ends this session's waiting."""
        if self._halt.is_set():
            return True
        now = time.monotonic()
        if self._looked_at is None:  # asked for the first time before there is anything to wait for
            self._looked_at = now - _WANTED_S
        elif now - self._looked_at >= _WANTED_S:
            self._looked_at = now
            self._still_wanted()
        return False


class Signer:
    """Signs the sessions of one run, and ends the signing when the account is refused.

    Parameters
    ----------
    client
        Who asks.
    max_wait_s
        How long to wait for the budget at most, seconds; None for as long as it takes.
    claim
        Called with the session id just before a request is sent; what it raises ends that session's turn.
    still_wanted
        Called with the session id now and then while it waits for the budget; the same.
    """

    def __init__(
        self,
        client: HubClient,
        *,
        max_wait_s: float | None = None,
        claim: Callable[[str], object] | None = None,
        still_wanted: Callable[[str], object] | None = None,
    ) -> None:
        self.client = client
        self.stopped_because: str | None = None
        self._claim = claim
        self._still_wanted = still_wanted
        self._deadline = None if max_wait_s is None else time.time() + max_wait_s
        self._halt = threading.Event()
        self._lock = threading.Lock()
        self._forbidden: set[str] = set()
        self._succeeded = False
        self._limited: errors.WaitTooLong | None = None
        self._asked_alone = threading.Lock()
        self._answered = threading.Event()
        self._sent_at = float("inf")

    def stop(self) -> None:
        """Let nobody wait or begin any more."""
        self._halt.set()

    def sign(self, session_id: str, *, first: bool = False) -> SignedUrl:
        """Return a fresh signed URL.

        Raises
        ------
        SessionError
            As `HubClient.sign`.
        NotAttempted
            The account was refused meanwhile; `stopped_because` says how.
        Stopped
            `stop` was called.
        """
        while not self._answered.wait(0.0):
            if self._asked_alone.acquire(blocking=False):
                try:
                    return self._ask(session_id, first=first)
                finally:
                    # A first 403 may be about that session alone: the next one goes alone, too.
                    if self._succeeded or self.stopped_because is not None or not self._forbidden:
                        self._answered.set()
                    self._asked_alone.release()
            self._answered.wait(_LOOK_S)
            if self._halt.is_set() or time.monotonic() - self._sent_at > _ALONE_S:
                break
        return self._ask(session_id, first=first)

    def _ask(self, session_id: str, *, first: bool) -> SignedUrl:
        if self.stopped_because is not None:
            raise NotAttempted
        if self._limited is not None:
            # Known already: the next request comes after `max_wait`. Nobody needs to ask for each session.
            raise errors.WaitTooLong(self._limited.message, retry_at=self._limited.retry_at)
        wanted = self._still_wanted
        stop = self._halt if wanted is None else _Halt(self._halt, lambda: wanted(session_id))
        try:
            signed = self.client.sign(
                session_id, stop=stop, deadline=self._deadline, first=first, gate=lambda: self._pass(session_id)
            )
        except Stopped:
            if self.stopped_because is not None:
                raise NotAttempted from None
            raise
        except errors.WaitTooLong as error:
            self._limited = error
            raise
        except errors.ApiError as error:
            self._watch(session_id, error)
            raise
        self._succeeded = True
        self._answered.set()
        return signed

    def _pass(self, session_id: str) -> None:
        if self._halt.is_set():
            raise Stopped
        if self._claim is not None:
            self._claim(session_id)
        self._sent_at = min(self._sent_at, time.monotonic())

    def _watch(self, session_id: str, error: errors.ApiError) -> None:
        """Stop the signing where an answer speaks of the whole account."""
        with self._lock:
            stops = isinstance(error, errors.PlaybackUnconfigured)
            if isinstance(error, errors.AccessRefused):
                self._forbidden.add(session_id)
                # A 403 may be about one session; a second one while nothing succeeds is about the account.
                stops = error.status_code != 403 or (len(self._forbidden) > 1 and not self._succeeded)
            elif isinstance(error, errors.RecordingMissing | errors.RecordingPending):
                self._succeeded = True
            if stops and self.stopped_because is None:
                self.stopped_because = f"the run stopped, because {error.message}"
                self._halt.set()
