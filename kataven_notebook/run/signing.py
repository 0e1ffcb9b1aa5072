"""Signing for a whole run: an answer that is about the account or the budget holds for all sessions."""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING

from kataven_notebook import errors
from kataven_notebook.service.answers import HubUnreachable
from kataven_notebook.signals import NotAttempted, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.service.client import HubClient

# The first request goes alone, so that a wrong key costs one request and not twenty; for so long at most.
_ALONE_S = 2.0
_POLL_S = 0.05


class Signer:
    """Signs the sessions of one run, and ends the signing when the account is refused.

    Parameters
    ----------
    client
        Sends the requests.
    max_wait_s
        How long to wait for the budget at most, seconds; None for as long as it takes.
    claim
        Called with the session id just before a request is sent; what it raises ends the signing of that session.
    still_wanted
        Called with the session id twice a second while it waits for the budget; the same.
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
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._forbidden: set[str] = set()
        self._succeeded = False
        self._too_long: errors.WaitTooLong | None = None
        self._first_turn = threading.Lock()
        self._first_answered = threading.Event()
        self._first_session: str | None = None
        self._first_sent_at = float("inf")

    def stop(self) -> None:
        """End all waiting, and let no request begin."""
        self._stop.set()

    def give_up(self, reason: str) -> None:
        """Let no request begin, because no other session would fare better; `stopped_because` says why."""
        with self._lock:
            if self.stopped_because is None:
                self.stopped_because = f"the run stopped, because {reason}"
                self._stop.set()

    def sign(self, session_id: str, *, first: bool = False) -> SignedUrl:
        """Return a fresh signed URL.

        Parameters
        ----------
        session_id
            A checked id.
        first
            Go before those that wait already.

        Raises
        ------
        SessionError
            As `HubClient.sign`.
        NotAttempted
            The account was refused meanwhile; `stopped_because` says how.
        Stopped
            `stop` was called.
        Exception
            What `claim` or `still_wanted` raises.
        """
        while not self._first_answered.is_set():
            if self._first_turn.acquire(blocking=False):
                try:
                    return self._ask(session_id, first=first)
                finally:
                    # A first 403 may be about that session alone: the next request goes alone, too.
                    if self._succeeded or self.stopped_because is not None or not self._forbidden:
                        self._first_answered.set()
                    self._first_turn.release()
            self._first_answered.wait(_POLL_S)
            if self._stop.is_set() or time.monotonic() - self._first_sent_at > _ALONE_S:
                break
        return self._ask(session_id, first=first)

    def _ask(self, session_id: str, *, first: bool) -> SignedUrl:
        if self.stopped_because is not None:
            raise NotAttempted
        if self._too_long is not None:
            # Requests of other sessions would come after `max_wait`, too: thousands need not ask the budget.
            raise errors.WaitTooLong(self._too_long.message, retry_at=self._too_long.retry_at)
        wanted = self._still_wanted
        try:
            signed = self.client.sign(
                session_id,
                stop=self._stop,
                deadline=self._deadline,
                first=first,
                still_wanted=None if wanted is None else functools.partial(wanted, session_id),
                gate=functools.partial(self._before_sending, session_id),
            )
        except Stopped:
            if self.stopped_because is not None:
                raise NotAttempted from None
            raise
        except errors.WaitTooLong as error:
            self._too_long = error
            raise
        except errors.ApiError as error:
            self._judge(session_id, error)
            raise
        self._succeeded = True
        self._first_answered.set()
        return signed

    def _before_sending(self, session_id: str) -> None:
        if self._stop.is_set():
            raise Stopped
        if self._claim is not None:
            self._claim(session_id)
        if self._first_session == session_id:
            # Its first request was answered, if not granted: there is no need to be alone any more.
            self._first_answered.set()
        if self._first_session is None:
            self._first_session, self._first_sent_at = session_id, time.monotonic()

    def _judge(self, session_id: str, error: errors.ApiError) -> None:
        """End the signing where an answer, or its lack, is about the whole account."""
        with self._lock:
            is_about_account = isinstance(error, errors.PlaybackUnconfigured | HubUnreachable)
            if isinstance(error, errors.AccessRefused):
                self._forbidden.add(session_id)
                # A 403 may be about one session; a second one while nothing succeeds is about the account.
                is_about_account = error.status_code != 403 or (len(self._forbidden) > 1 and not self._succeeded)
            elif not is_about_account and not isinstance(error, errors.ServiceFailed):
                # The answer is about the session, so the credentials are good.
                self._succeeded = True
        if is_about_account:
            self.give_up(error.message)
