"""What a run is at, beside other runs on the same store: sessions that others are at are put off, and waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from kataven_notebook.errors import StoreError, WaitTooLong
from kataven_notebook.run.plan import Outcome, Task
from kataven_notebook.signals import Stopped, TryLater
from kataven_notebook.status import Status
from kataven_notebook.store.claims import BEAT_S, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.store.folder import Store

_REASON = "under way in another run"
# Pauses between looks at what others are at grow with how much that is, so that looking costs the same.
_PAUSE_S = 0.05
_PAUSE_PER_SESSION_S = 0.001
# How often to look where nobody else is at anything, in seconds.
_IDLE_S = 1.0
# A session that others are at is tried again when they have ended; and after so many seconds, whatever was seen.
_RETRY_S = 10.0
# Runs with `max_wait` give others so long to ask for what needs no waiting, in seconds.
_GRACE_S = 1.0


def forget(_: object) -> None:
    """Take no notice: the run is over."""


class RunClaims:
    """Takes sessions for one run, and keeps them while it lives; all threads of the run share one.

    A thread of its own says that the run lives, and looks at what other runs are at.

    Parameters
    ----------
    store
        Where the claims are.
    max_wait_s
        How long to wait for another run that waits for the budget, seconds; None for as long as it takes.
    on_free
        Called with the sessions that were put off and that no other run is at any more.
    """

    def __init__(self, store: Store, *, max_wait_s: float | None, on_free: Callable[[set[str]], object]) -> None:
        self._store = store
        self._claims = store.claims()
        self._deadline = None if max_wait_s is None else time.monotonic() + max(max_wait_s, _GRACE_S)
        self._on_free = on_free
        self._lock = threading.Lock()
        # What this run has taken, with the attempts that were counted when it began, and what it waits for.
        self._taken: dict[str, int] = {}
        self._awaited: set[str] = set()
        # What other runs are at, and what they have settled of that which this run has taken.
        self._others: dict[str, Standing] = {}
        self._settled: set[str] = set()
        self._has_begun = False
        self._is_closed = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def check(self, task: Task) -> None:
        """Raise where another run was at the session a moment ago; costs next to nothing.

        Raises
        ------
        TryLater
            Another run is at it.
        WaitTooLong
            It waits for the budget, longer than this run may.
        StoreError
            The store can't be read.
        """
        self._begin()
        with self._lock:
            self._awaited.discard(task.session_id)
            standing = self._others.get(task.session_id)
        if standing is not None:
            raise self._put_off(task.session_id, standing)

    def take(self, task: Task) -> Outcome | None:
        """Take a session for this run, or return the outcome where another run has settled it.

        Raises
        ------
        TryLater
            Another run is at it.
        WaitTooLong
            It waits for the budget, longer than this run may.
        Stopped
            All has been given back.
        StoreError
            The store can't be written.
        """
        if self._is_closed:
            raise Stopped
        standing = self._claims.take(task.session_id, attempts=task.attempts)
        if standing is Standing.OURS:
            self._taken[task.session_id] = task.attempts
            return None
        if standing is Standing.SETTLED:
            found = self._outcome(task.session_id)
            if found is None:  # forgotten meanwhile
                raise TryLater(time.monotonic(), _REASON)
            return found
        raise self._put_off(task.session_id, standing)

    def confirm(self, session_id: str) -> None:
        """Make sure, just before the request is sent, that the session is still this run's: it may have been stopped.

        Raises
        ------
        TryLater
            Another run has taken or settled it meanwhile.
        StoreError
            The store can't be written.
        """
        attempts = self._taken.get(session_id, 0)
        if self._claims.take(session_id, attempts=attempts, has_asked=True) is not Standing.OURS:
            raise TryLater(time.monotonic(), _REASON)

    def check_unsettled(self, session_id: str) -> None:
        """Raise where a session that this run waits to ask for was settled a moment ago.

        Raises
        ------
        TryLater
            Another run has settled it: the next attempt finds its outcome.
        """
        if session_id in self._settled:
            raise TryLater(time.monotonic(), _REASON)

    def found(self, session_id: str) -> Outcome | None:
        """Return what another run has settled of a session that this run has taken, or None.

        Raises
        ------
        StoreError
            The store can't be read.
        """
        is_settled = self._claims.settled({session_id: self._taken.get(session_id, 0)})
        return self._outcome(session_id) if is_settled else None

    def release(self, session_id: str) -> None:
        """Let others have a session, if this run has it; what is in the way of that ends with the run."""
        if self._taken.pop(session_id, None) is not None:
            with contextlib.suppress(StoreError):
                self._claims.release(session_id)

    def close(self) -> None:
        """Give all back; a second time does nothing."""
        with self._lock:
            has_begun, self._is_closed = self._has_begun and not self._is_closed, True
        if self._thread is not None:
            self._wake.set()
            self._thread.join()
        # The run refers to this object: together they would keep the store open until they are collected.
        self._on_free = forget
        if has_begun:
            with contextlib.suppress(StoreError):
                self._claims.end()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is not None or self._is_closed:
                return
            self._claims.begin()
            self._has_begun = True
            self._others = self._claims.others()
            thread = threading.Thread(target=self._watch, name="kataven-claims", daemon=True)
            # Where the machine allows no more threads, the next session begins this again, and so looks and beats.
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._thread = thread

    def _watch(self) -> None:
        """Say that this run lives, and find out what others have ended; what the run's own thread does."""
        beat_at = time.monotonic() + BEAT_S
        while not self._is_closed:
            is_idle = not self._others and not self._awaited
            pause_s = _IDLE_S if is_idle else _PAUSE_S + _PAUSE_PER_SESSION_S * len(self._others)
            self._wake.wait(min(pause_s, max(0.0, beat_at - time.monotonic())))
            self._wake.clear()
            # A store that fails ends the run where its sessions use it.
            with contextlib.suppress(StoreError):
                if time.monotonic() >= beat_at:
                    self._claims.beat()
                    beat_at = time.monotonic() + BEAT_S
                self._look()

    def _look(self) -> None:
        others = self._claims.others()
        self._settled = self._claims.settled(self._taken.copy())
        is_late = self._deadline is not None and time.monotonic() >= self._deadline
        with self._lock:
            self._others = others
            # Until they are tried: one that is just being put off is not there yet.
            free = {each for each in self._awaited if is_late or each not in others}
        if free:
            self._on_free(free)

    def _outcome(self, session_id: str) -> Outcome | None:
        entry = self._store.load([session_id]).get(session_id)
        if entry is None or not entry.is_settled:
            return None
        if entry.file is None:
            return Outcome(Status(entry.status), error=entry.error)
        return Outcome(Status.DOWNLOADED, recording=self._store.recording(entry))

    def _put_off(self, session_id: str, standing: Standing) -> TryLater:
        now = time.monotonic()
        if standing is Standing.AWAITED and self._deadline is not None and now >= self._deadline:
            raise WaitTooLong(
                "max_wait was over while another run waited for the limits to allow the request; call again",
                session_id=session_id,
            )
        with self._lock:
            is_first = not self._awaited
            self._awaited.add(session_id)
        if is_first:
            self._wake.set()
        return TryLater(now + _RETRY_S, _REASON)
