"""The run: sign, then at once download, verify and work, session by session, many at a time.

One thread owns a session from its signature to its outcome, so that no URL ever lies in a queue
and what is in memory is bounded by the number of threads.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook import errors
from kataven_notebook._http import THREAD_PREFIX
from kataven_notebook._outcome import NotAttempted, Outcome, Task, skipped
from kataven_notebook.budget import Budget, Stopped
from kataven_notebook.client import HubClient, SignedUrl
from kataven_notebook.download import DEFAULT_TOTAL_TIMEOUT_S, Downloader, Transfer
from kataven_notebook.recording import Recording
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kataven_notebook.settings import Settings
    from kataven_notebook.store import Store

    # Both are told when the run is being stopped.
    Work = Callable[[Recording, threading.Event], tuple[Any, str | None]]
    Delegate = Callable[[str, SignedUrl, threading.Event], Outcome]
    Turn = Callable[[threading.Event], contextlib.AbstractContextManager[None]]

DEFAULT_MAX_BYTES = 500_000_000
# A URL with less life left than this is signed again before it is used.
_URL_MARGIN_S = 5.0
# How long an interrupted run waits for what is about to finish.
_DRAIN_S = 0.5
_CLAIM_RETRY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does with each session, and within which bounds.

    Parameters
    ----------
    settings
        Who asks, where, and how fast.
    sound
        Whether the sound is wanted, or the signed URL alone.
    keep_sound
        Whether outcomes hold the recording; else it is dropped once worked on.
    work
        What is done with each recording: returns a value and, where it failed, one sentence. It
        bounds by itself how many of it run at once.
    delegate
        Downloads, verifies and works elsewhere, from a signed URL; raises `UrlExpired` where the
        URL died on the way.
    turn
        Entered before a session's URL is signed and left after its `delegate`, so that no URL
        ages while it waits for a worker.
    store
        Where sound and outcomes are kept.
    max_bytes, total_timeout_s
        Bounds of one download.
    verify_full
        Decode everything, not only the first and last second.
    poll_pending_s
        For how long sessions that are not uploaded yet are asked for again, seconds.
    max_wait_s
        How long to wait for the budget at most, seconds; None for as long as it takes.
    in_flight
        How many sessions are under way at once.
    """

    settings: Settings
    sound: bool = True
    keep_sound: bool = True
    work: Work | None = None
    delegate: Delegate | None = None
    turn: Turn | None = None
    store: Store | None = None
    max_bytes: int = DEFAULT_MAX_BYTES
    total_timeout_s: float = DEFAULT_TOTAL_TIMEOUT_S
    verify_full: bool = False
    poll_pending_s: float = 0.0
    max_wait_s: float | None = None
    in_flight: int | None = None


class _Claimed(Exception):  # noqa: N818 - a signal: another process is at this session
    """Another process that shares the store works on the session."""


class _AskLater(Exception):  # noqa: N818 - a signal: put back into the queue
    """The session is to be tried again at a later time."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at


class Run:
    """One run over some sessions; yields their outcomes as they come.

    Parameters
    ----------
    plan
        What to do.
    tasks
        The sessions, each once.

    Raises
    ------
    ConfigurationError
        The sessions need the API and the credentials can't work.
    """

    def __init__(self, plan: Plan, tasks: Iterable[Task]) -> None:
        self._plan = plan
        self._todo = deque(tasks)
        self.total = len(self._todo)
        self._left = self.total
        self._later: list[tuple[float, int, Task]] = []
        self._order = itertools.count()
        self._lock = threading.Condition()
        self._stop = threading.Event()
        self._stopped_because: str | None = None
        self._polled_until = time.monotonic() + plan.poll_pending_s
        self._deadline = None if plan.max_wait_s is None else time.time() + plan.max_wait_s
        self._forbidden: set[str] = set()
        self._succeeded = False
        # The first request goes alone: a wrong key then costs one request and not twenty.
        self._first_asker = threading.Lock()
        self._first_answer = threading.Event()
        in_flight = plan.in_flight or plan.settings.limits.in_flight or 64
        self._results: queue.Queue[tuple[str, Outcome] | BaseException] = queue.Queue(maxsize=in_flight)
        self._client: HubClient | None = None
        self._downloader: Downloader | None = None
        if any(task.recording is None for task in self._todo):
            self._client = HubClient(plan.settings)
            self._downloader = Downloader(
                timeout_s=plan.settings.request_timeout_s,
                max_bytes=plan.max_bytes,
                total_timeout_s=plan.total_timeout_s,
            )
        self._threads = [
            threading.Thread(target=self._serve, name=f"{THREAD_PREFIX}{number}", daemon=True)
            for number in range(min(in_flight, self.total))
        ]
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def budget(self) -> Budget | None:
        """Who counts the requests of this run; None where it needs none."""
        return self._client.budget if self._client else None

    @property
    def left(self) -> int:
        """How many sessions have no outcome yet."""
        return self._left

    def outcomes(self, tick: Callable[[], None] = lambda: None) -> Iterator[tuple[str, Outcome]]:
        """Yield session ids and outcomes as they come.

        Parameters
        ----------
        tick
            Called a few times a second while waiting.

        Raises
        ------
        StoreError
            The store can't be written.
        Exception
            Programming errors of the work, which are nobody's row.
        """
        self._start_threads()
        while self._left:
            try:
                result = self._results.get(timeout=0.2)
            except queue.Empty:
                tick()
                continue
            if isinstance(result, BaseException):
                raise result
            self._left -= 1
            tick()
            yield result

    def drain(self) -> list[tuple[str, Outcome]]:
        """Stop, and return what finishes within half a second."""
        self._stop.set()
        finished = []
        ends_at = time.monotonic() + _DRAIN_S
        while self._left:
            try:
                result = self._results.get(timeout=max(0.0, ends_at - time.monotonic()))
            except queue.Empty:
                break
            if not isinstance(result, BaseException):
                self._left -= 1
                finished.append(result)
        return finished

    def close(self) -> None:
        """Stop the threads and, once the last one has ended, close the connections."""
        self._stop.set()
        with self._lock:
            self._lock.notify_all()
        while not self._results.empty():  # a thread may wait to hand over its last outcome
            with contextlib.suppress(queue.Empty):
                self._results.get_nowait()
        if not self._started:
            self._close_clients()

    def _start_threads(self) -> None:
        for thread in self._threads:
            self._started += 1
            thread.start()

    def _close_clients(self) -> None:
        for client in (self._client, self._downloader):
            if client is not None:
                client.close()

    def _serve(self) -> None:
        try:
            while (task := self._next()) is not None:
                self._hand_over(task)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - goes to the caller, who raises it
            with contextlib.suppress(Stopped):
                self._put(error)
        finally:
            with self._lock:
                self._started -= 1
                is_last = not self._started
            if is_last:
                self._close_clients()

    def _next(self) -> Task | None:
        with self._lock:
            while not self._stop.is_set():
                now = time.monotonic()
                if self._later and self._later[0][0] <= now:
                    return heapq.heappop(self._later)[2]
                if self._todo:
                    return self._todo.popleft()
                # Who puts a session back for later is there to take it up: the others may go.
                if not self._later:
                    return None
                self._lock.wait(min(0.2, max(0.001, self._later[0][0] - now)))
        return None

    def _hand_over(self, task: Task) -> None:
        try:
            outcome = self._outcome(task)
        except _AskLater as later:
            with self._lock:
                heapq.heappush(self._later, (later.at, next(self._order), task))
                self._lock.notify()
            return
        self._put((task.session_id, outcome))

    def _put(self, result: tuple[str, Outcome] | BaseException) -> None:
        while True:
            try:
                return self._results.put(result, timeout=0.2)
            except queue.Full:
                if self._stop.is_set():
                    raise Stopped from None

    def _outcome(self, task: Task) -> Outcome:
        if self._stopped_because is not None:
            return skipped(self._stopped_because)
        try:
            outcome = self._attempt(task)
        except NotAttempted as signal:
            return skipped(str(signal) or self._stopped_because or "the run stopped")
        except errors.SessionError as error:
            self._note(task.session_id, error)
            return Outcome.of_error(error)
        if self._plan.work is not None and outcome.recording is not None:
            value, work_error = self._plan.work(outcome.recording, self._stop)
            kept = outcome.recording if self._plan.keep_sound else None
            return Outcome(outcome.status, None, outcome.signed, kept, value, work_error)
        return outcome

    def _attempt(self, task: Task) -> Outcome:
        if task.recording is not None:
            return Outcome(Status.DOWNLOADED, recording=task.recording)
        store = self._plan.store
        try:
            if not self._plan.sound:
                signed = self._signed(task, first=False)
                return Outcome(Status.READY, signed=signed)
            if store is None:
                return self._fetch(task, Transfer())
            with store.part() as part:
                return self._fetch(task, Transfer(part))
        except _Claimed:
            return self._after_claim(task)
        except errors.RecordingPending as error:
            pause_s = min(60.0, max(0.2, self._plan.poll_pending_s / 20))
            if time.monotonic() + pause_s >= self._polled_until:
                raise
            if store is not None:
                store.release(task.session_id)
            raise _AskLater(time.monotonic() + pause_s) from error

    def _after_claim(self, task: Task) -> Outcome:
        """Take what another process of the store has found, or ask again in a moment."""
        assert self._plan.store is not None  # noqa: S101 - only a store can be claimed
        entry = self._plan.store.load([task.session_id]).get(task.session_id)
        if entry is None or not entry.file:
            raise _AskLater(time.monotonic() + _CLAIM_RETRY_S)
        return Outcome(Status.DOWNLOADED, recording=self._plan.store.recording(entry))

    def _signed(self, task: Task, *, first: bool) -> SignedUrl:
        if not self._first_answer.is_set():
            with self._first_asker:
                if not self._first_answer.is_set():
                    try:
                        return self._ask(task, first=first)
                    finally:
                        self._first_answer.set()
        return self._ask(task, first=first)

    def _ask(self, task: Task, *, first: bool) -> SignedUrl:
        assert self._client is not None  # noqa: S101 - made where a task has no sound
        if self._stopped_because is not None:
            raise NotAttempted
        try:
            signed = self._client.sign(
                task.session_id,
                stop=self._stop,
                deadline=self._deadline,
                first=first,
                gate=self._gate(task.session_id),
            )
        except errors.ApiError as error:
            self._watch_account(task.session_id, error)
            raise
        self._succeeded = True
        return signed

    def _gate(self, session_id: str) -> Callable[[], None]:
        def claim() -> None:
            if self._plan.store is not None and self._plan.sound and not self._plan.store.claim(session_id):
                raise _Claimed

        return claim

    def _watch_account(self, session_id: str, error: errors.ApiError) -> None:
        """Stop the run where an answer speaks of the whole account."""
        stops = isinstance(error, errors.PlaybackUnconfigured)
        if isinstance(error, errors.AccessRefused):
            if error.status_code == 403:
                with self._lock:
                    self._forbidden.add(session_id)
                    stops = len(self._forbidden) > 1 and not self._succeeded
            else:
                stops = True
        if isinstance(error, errors.RecordingMissing | errors.RecordingPending):
            self._succeeded = True
        if stops and self._stopped_because is None:
            self._stopped_because = f"the run stopped, because {error.message}"

    def _fetch(self, task: Task, transfer: Transfer) -> Outcome:
        with self._plan.turn(self._stop) if self._plan.turn is not None else contextlib.nullcontext():
            return self._fetch_now(task, transfer)

    def _fetch_now(self, task: Task, transfer: Transfer) -> Outcome:
        signed = task.signed
        if signed is None or not signed.lives(_URL_MARGIN_S):
            signed = self._signed(task, first=False)
        try:
            return self._take(task.session_id, signed, transfer)
        except errors.UrlExpired:
            # Once per need: a URL that is dead as soon as it is signed will not live the second time.
            return self._take(task.session_id, self._signed(task, first=True), transfer)

    def _take(self, session_id: str, signed: SignedUrl, transfer: Transfer) -> Outcome:
        if self._plan.delegate is not None:
            return self._plan.delegate(session_id, signed, self._stop)
        assert self._downloader is not None  # noqa: S101 - made where a task has no sound
        self._downloader.fetch(signed, transfer, session_id=session_id, stop=self._stop)
        return Outcome(Status.DOWNLOADED, signed=signed, recording=self._verified(session_id, transfer))

    def _verified(self, session_id: str, transfer: Transfer) -> Recording:
        if self._plan.store is None:
            recording = Recording.from_bytes(transfer.content(), session_id=session_id)
            recording.verify(full=self._plan.verify_full)
            return recording
        transfer.file.flush()
        Recording.from_file(transfer.file.name, session_id=session_id).verify(full=self._plan.verify_full)
        return self._plan.store.keep(session_id, transfer.file, transfer.sha256)

    def _note(self, session_id: str, error: errors.SessionError) -> None:
        if self._plan.store is not None and self._plan.sound:
            outcome = Outcome.of_error(error)
            self._plan.store.note(session_id, outcome.status, outcome.error)
