"""One session's way from its id to its outcome: claim, sign, download, verify, keep, note."""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
from typing import TYPE_CHECKING

from kataven_notebook import errors
from kataven_notebook.clock import clock_text
from kataven_notebook.run.claims import RunClaims, forget
from kataven_notebook.run.plan import Outcome, Plan, Task, skipped
from kataven_notebook.run.signing import Signer
from kataven_notebook.service.answers import URL_MARGIN_S, SignedUrl
from kataven_notebook.service.client import HubClient
from kataven_notebook.service.download import Downloader, StorageLost
from kataven_notebook.service.hosts import ConnectionLost, Hosts, StillAway
from kataven_notebook.service.transfer import Transfer
from kataven_notebook.signals import NotAttempted, TryLater
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status
from kataven_notebook.store.accounts import prove

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.service.budget import Budget

# Of how many sessions a storage that has never answered must lose the sound until the run ends: a single host may
# stand in one URL alone.
_UNREACHABLE_SESSIONS = 3
_JUST_NOW_S = 0.5
# How often the URL of one long, broken download is renewed.
_MAX_RENEWALS = 5


class Fetcher:
    """Brings sessions from their ids to their outcomes; all threads of a run share one.

    Parameters
    ----------
    plan
        What to do with each session.
    stop
        Ends downloads when set.
    on_signed
        Called with each task that has got its URL.
    on_arriving
        Called with each task whose sound begins to arrive.
    on_free
        Called with the ids of sessions that were put off for another run, once it has ended with them.

    Raises
    ------
    ConfigurationError
        The credentials can't work.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        stop: threading.Event,
        on_signed: Callable[[Task], object],
        on_arriving: Callable[[Task], object],
        on_free: Callable[[set[str]], object],
    ) -> None:
        self._plan = plan
        self._stop = stop
        self._on_signed = on_signed
        self._on_arriving = on_arriving
        # Without sound there is nothing to keep: URLs are not for the store.
        self._store = plan.store if plan.sound else None
        self._is_proved = False
        self._proving = threading.Lock()
        self._claims: RunClaims | None = None
        if self._store is not None:
            self._claims = RunClaims(self._store, max_wait_s=plan.max_wait_s, on_free=on_free)
        self._poll_until = time.monotonic() + plan.poll_pending_s
        self._deadline = None if plan.max_wait_s is None else time.time() + plan.max_wait_s
        self.hosts = Hosts(plan.settings, deadline=self._deadline)
        self._unreachable: dict[str, set[str]] = {}
        self._signer = Signer(
            HubClient(plan.settings, hosts=self.hosts),
            max_wait_s=plan.max_wait_s,
            claim=None if self._claims is None else self._claims.confirm,
            still_wanted=None if self._claims is None else self._claims.check_unsettled,
        )
        self._downloader = Downloader(
            timeout_s=plan.settings.request_timeout_s,
            max_bytes=plan.max_bytes,
            total_timeout_s=plan.total_timeout_s,
            hosts=self.hosts,
        )

    @property
    def budget(self) -> Budget:
        """The budget that the requests are counted in."""
        return self._signer.client.budget

    def is_storage_away(self) -> bool:
        """Return whether nobody gets sound now."""
        return self.hosts.is_any_away(but=self._plan.settings.base_url)

    def stop(self) -> None:
        """Let no request begin and none wait."""
        self._signer.stop()

    def let_go(self) -> None:
        """Let other runs have the sessions that are still under way: nobody waits for them here."""
        if self._claims is not None:
            self._claims.close()

    def close(self) -> None:
        """Close the connections, and let go of all sessions."""
        # The run refers to this object: together they would keep the store open until they are collected.
        self._on_signed = self._on_arriving = forget
        self._signer.client.close()
        self._downloader.close()
        self.hosts.close()
        self.let_go()

    def outcome(self, task: Task) -> Outcome:
        """Return what became of one session; what is wrong with the session is its outcome.

        Raises
        ------
        TryLater
            It is not uploaded yet, or under way in another run.
        Stopped
            The run is being stopped.
        StoreError
            The store can't be written.
        """
        try:
            return self._attempt(task)
        except NotAttempted as signal:
            return skipped(str(signal) or self._signer.stopped_because or "the run stopped")
        except errors.SessionError as error:
            if isinstance(error, StorageLost) and error.is_unknown:
                self._judge_storage(task.session_id, error)
            return self._failed(task, error)
        finally:
            if self._claims is not None:
                self._claims.release(task.session_id)

    def _attempt(self, task: Task) -> Outcome:
        try:
            return self._sound(task) if self._plan.sound else Outcome(Status.READY, signed=self._signed(task))
        except errors.RecordingPending as error:
            pause_s = min(60.0, max(0.2, self._plan.poll_pending_s / 20))
            now = time.monotonic()
            if now + pause_s >= self._poll_until:
                raise
            left_s = self._poll_until - now
            until = "they are" if math.isinf(left_s) else clock_text(time.time() + left_s)
            raise TryLater(now + pause_s, f"not uploaded yet, asked for until {until}") from error

    def _sound(self, task: Task) -> Outcome:
        if task.signed is None and self._signer.stopped_because is not None:
            raise NotAttempted  # before a file is made for it
        if self._claims is not None:
            self._claims.check(task)
        with contextlib.ExitStack() as stack:
            if self._plan.turn is not None:
                stack.enter_context(self._plan.turn(self._stop))
            # After the turn: a run inside this one may be what has the turn, and wait for this session.
            found = None if self._claims is None else self._claims.take(task)
            if found is not None:
                return found
            file = None if self._store is None else stack.enter_context(self._store.part())
            transfer = Transfer(file, on_begun=functools.partial(self._on_arriving, task))
            return self._download(task, transfer)

    def _download(self, task: Task, transfer: Transfer) -> Outcome:
        signed, renewals = task.signed, 0
        if signed is None or not signed.lives(URL_MARGIN_S):
            signed = self._signed(task)
        while True:
            received_bytes, began = transfer.received_bytes, time.monotonic()
            try:
                return self._take(task.session_id, signed, transfer)
            except errors.UrlExpired:
                # A URL that was just signed and is refused at once is renewed once: more would not help.
                was_of_use = transfer.received_bytes > received_bytes or time.monotonic() - began > URL_MARGIN_S
                if renewals >= (_MAX_RENEWALS if was_of_use else 1):
                    raise
                renewals += 1
                signed = self._signed(task, first=True)

    def _signed(self, task: Task, *, first: bool = False) -> SignedUrl:
        try:
            signed = self._signer.sign(task.session_id, first=first)
        except (errors.RecordingMissing, errors.RecordingPending):
            self._prove_account()
            raise
        self._prove_account()
        self._on_signed(task)
        return signed

    def _prove_account(self) -> None:
        """Bind the store to the account, whose key an answer about a session has just shown to be good."""
        if self._is_proved:
            return
        with self._proving:
            if not self._is_proved:
                prove(self._plan.settings)
                if self._store is not None:
                    self._store.bind(self._plan.settings)
                self._is_proved = True

    def _take(self, session_id: str, signed: SignedUrl, transfer: Transfer) -> Outcome:
        if self._plan.delegate is not None:
            return self._delegated(session_id, signed)
        self._downloader.fetch(signed, transfer, session_id=session_id, stop=self._stop)
        return Outcome(Status.DOWNLOADED, signed=signed, recording=self._verified(session_id, transfer))

    def _delegated(self, session_id: str, signed: SignedUrl) -> Outcome:
        """Have the sound fetched and worked on elsewhere; on this machine, wait for a storage that is away."""
        assert self._plan.delegate is not None  # noqa: S101 - the caller looks first
        delegate = functools.partial(self._plan.delegate, session_id, signed, self._stop)
        if not self._plan.is_delegate_here:
            return delegate()

        def send() -> Outcome:
            try:
                outcome = delegate()
            except StorageLost as error:
                # A worker tries several times, for some seconds: what counts is who has had an answer just now.
                now = time.monotonic()
                raise ConnectionLost(error.origin, error.reason, now - _JUST_NOW_S, session_id=session_id) from error
            self.hosts.answered(signed.url, ask_again=functools.partial(self._downloader.ask_again, signed))
            return outcome

        try:
            return self.hosts.through(signed.url, send, self._stop)
        except ConnectionLost as lost:
            if not isinstance(lost.__cause__, StorageLost):
                raise
            raise lost.__cause__ from None
        except StillAway as away:
            message = f"the download failed: {away}, and max_wait is over; call again"
            raise errors.DownloadFailed(message, session_id=session_id) from None

    def _verified(self, session_id: str, transfer: Transfer) -> Recording:
        """Return the sound that was downloaded, checked and, with a store, kept."""
        if self._store is None:
            recording = Recording.from_bytes(transfer.content(), session_id=session_id)
            recording.verify(full=self._plan.verify_full)
            return recording
        self._store.arrived(session_id, transfer.file).verify(full=self._plan.verify_full)
        found = None if self._claims is None else self._claims.found(session_id)
        if found is not None and found.recording is not None:
            # This process was stopped, and another one did the session: the file that it relies on stays.
            return found.recording
        return self._store.keep(session_id, transfer.file, transfer.sha256)

    def _judge_storage(self, session_id: str, error: StorageLost) -> None:
        """End the run where a storage answers nobody: each further signature would be spent for nothing."""
        lost = self._unreachable.setdefault(error.origin, set())
        lost.add(session_id)
        if len(lost) >= _UNREACHABLE_SESSIONS:
            self._signer.give_up(error.message)

    def _failed(self, task: Task, error: errors.SessionError) -> Outcome:
        """Return the outcome of a session that failed, and note it; what another run has found meanwhile is better."""
        outcome = Outcome.of_error(error)
        # The service said nothing about a session that it was not asked for.
        if self._store is None or isinstance(error, errors.WaitTooLong):
            return outcome
        found = None if self._claims is None else self._claims.found(task.session_id)
        if found is None:
            self._store.note(task.session_id, outcome.status, outcome.error)
        return found or outcome
