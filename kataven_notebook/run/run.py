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
from collections import Counter, deque
from typing import TYPE_CHECKING, Self

from kataven_notebook import errors
from kataven_notebook.clock import clock_text
from kataven_notebook.run.plan import Outcome, Plan, Task, skipped
from kataven_notebook.run.signing import Signer
from kataven_notebook.service.answers import URL_MARGIN_S, SignedUrl
from kataven_notebook.service.client import HubClient
from kataven_notebook.service.download import Downloader, Transfer
from kataven_notebook.service.transport import THREAD_PREFIX
from kataven_notebook.signals import NotAttempted, Stopped
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kataven_notebook.service.budget import Budget


# How long an interrupted run waits for what is about to finish.
_DRAIN_S = 0.5
_CLAIM_RETRY_S = 0.5
# How often the URL of one long, broken download is renewed.
_MOST_SIGNED_AGAIN = 5


class _Claimed(Exception):  # noqa: N818 - a signal: another process is at this session
    """Another process that shares the store works on the session."""


class _AskLater(Exception):  # noqa: N818 - a signal: put back into the queue
    """The session is to be tried again at a later time, because of what `reason` says."""

    def __init__(self, at: float, reason: str) -> None:
        super().__init__()
        self.at, self.reason = at, reason


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
        self._later: list[tuple[float, int, Task, str]] = []
        self._order = itertools.count()
        self._lock = threading.Condition()
        self._stop = threading.Event()
        self._began_at = time.time()
        self._unsigned = sum(self._needs_request(task) for task in self._todo)
        self._signed_ids: set[str] = set()
        self._polled_until = time.monotonic() + plan.poll_pending_s
        in_flight = plan.in_flight or plan.settings.limits.in_flight or 64
        self._results: queue.Queue[tuple[str, Outcome] | BaseException] = queue.Queue(maxsize=in_flight)
        self._signer: Signer | None = None
        self._downloader: Downloader | None = None
        if any(task.recording is None for task in self._todo):
            claims = plan.store is not None and plan.sound
            self._signer = Signer(
                HubClient(plan.settings),
                max_wait_s=plan.max_wait_s,
                claim=self._claim if claims else None,
                still_wanted=self._still_wanted if claims else None,
            )
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
        return self._signer.client.budget if self._signer else None

    @property
    def left(self) -> int:
        """How many sessions have no outcome yet."""
        return self._left

    @property
    def unsigned(self) -> int:
        """How many requests are still to be sent, if each session takes one."""
        return self._unsigned

    @property
    def put_off(self) -> dict[str, int]:
        """How many sessions are to be asked for again, by what they wait for."""
        with self._lock:
            return dict(Counter(reason for *_, reason in self._later))

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
        self._stop_threads()
        finished = []
        ends_at = time.monotonic() + _DRAIN_S
        while self._left:
            try:
                result = self._results.get(timeout=max(0.0, ends_at - time.monotonic()))
            except (queue.Empty, KeyboardInterrupt):  # pressed again: what is there now has to do
                break
            if not isinstance(result, BaseException):
                self._left -= 1
                finished.append(result)
        return finished

    def close(self) -> None:
        """Stop the threads and, once the last one has ended, close the connections."""
        self._stop_threads()
        while not self._results.empty():  # a thread may wait to hand over its last outcome
            with contextlib.suppress(queue.Empty):
                self._results.get_nowait()
        for thread in self._threads:
            # When all is handed over they are about to end, and nothing of the run outlives it.
            if not self._left and thread.ident is not None:
                thread.join()
        if not self._started:
            self._close_clients()

    def _start_threads(self) -> None:
        self._started = len(self._threads)
        for number, thread in enumerate(self._threads):
            try:
                thread.start()
            except RuntimeError:  # the machine has no more threads: those that run do it
                with self._lock:
                    self._started -= len(self._threads) - number
                del self._threads[number:]
                if not number:
                    raise
                return

    def _stop_threads(self) -> None:
        self._stop.set()
        if self._signer is not None:
            self._signer.stop()
        with self._lock:
            self._lock.notify_all()

    def _close_clients(self) -> None:
        if self._signer is not None:
            self._signer.client.close()
        if self._downloader is not None:
            self._downloader.close()

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
                heapq.heappush(self._later, (later.at, next(self._order), task, later.reason))
                self._lock.notify()
            return
        self._count_signed(task, is_over=True)
        self._put((task.session_id, outcome))

    def _put(self, result: tuple[str, Outcome] | BaseException) -> None:
        while True:
            try:
                return self._results.put(result, timeout=0.2)
            except queue.Full:
                if self._stop.is_set():
                    raise Stopped from None

    def _outcome(self, task: Task) -> Outcome:
        try:
            outcome = self._attempt(task)
        except NotAttempted as signal:
            return skipped(str(signal) or (self._signer and self._signer.stopped_because) or "the run stopped")
        except errors.SessionError as error:
            self._note(task.session_id, error)
            return Outcome.of_error(error)
        except BaseException:
            self._release(task.session_id)
            raise
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
                signed = self._signed(task)
                return Outcome(Status.READY, signed=signed)
            if task.signed is None and self._signer is not None and self._signer.stopped_because is not None:
                raise NotAttempted
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
            until = clock_text(time.time() + self._polled_until - time.monotonic())
            raise _AskLater(time.monotonic() + pause_s, f"not uploaded yet, asked for until {until}") from error

    def _after_claim(self, task: Task) -> Outcome:
        """Take what another process of the store has found, or ask again in a moment."""
        assert self._plan.store is not None  # noqa: S101 - only a store can be claimed
        entry = self._plan.store.load([task.session_id]).get(task.session_id)
        if entry is None or not entry.is_settled:
            raise _AskLater(time.monotonic() + _CLAIM_RETRY_S, "under way in another process")
        if entry.file is None:
            return Outcome(Status(entry.status), entry.error)
        return Outcome(Status.DOWNLOADED, recording=self._plan.store.recording(entry))

    def _signed(self, task: Task, *, first: bool = False) -> SignedUrl:
        assert self._signer is not None  # noqa: S101 - made where a task has no sound
        signed = self._signer.sign(task.session_id, first=first)
        self._count_signed(task)
        return signed

    def _needs_request(self, task: Task) -> bool:
        has_url = task.signed is not None and task.signed.lives(URL_MARGIN_S, now=self._began_at)
        return task.recording is None and not has_url

    def _count_signed(self, task: Task, *, is_over: bool = False) -> None:
        """Note that a session needs no request any more: it has its URL, or its outcome."""
        with self._lock:
            if task.session_id not in self._signed_ids:
                self._unsigned -= self._needs_request(task)
                self._signed_ids.add(task.session_id)
            if is_over:
                self._signed_ids.remove(task.session_id)

    def _claim(self, session_id: str) -> None:
        assert self._plan.store is not None  # noqa: S101 - only asked where there is one
        if not self._plan.store.claim(session_id, since=self._began_at):
            raise _Claimed

    def _still_wanted(self, session_id: str) -> None:
        """End the wait for a session that another process has settled: the next request may be hours away."""
        assert self._plan.store is not None  # noqa: S101 - only asked where there is one
        if self._plan.store.has_settled(session_id, since=self._began_at):
            raise _Claimed

    def _fetch(self, task: Task, transfer: Transfer) -> Outcome:
        with self._plan.turn(self._stop) if self._plan.turn is not None else contextlib.nullcontext():
            return self._fetch_now(task, transfer)

    def _fetch_now(self, task: Task, transfer: Transfer) -> Outcome:
        signed, signed_again = task.signed, 0
        if signed is None or not signed.lives(URL_MARGIN_S):
            signed = self._signed(task)
        while True:
            received_bytes, began = transfer.received_bytes, time.monotonic()
            try:
                return self._take(task.session_id, signed, transfer)
            except errors.UrlExpired:
                # Once per need: a URL that dies at once, though just signed, will not live the next time.
                was_of_use = transfer.received_bytes > received_bytes or time.monotonic() - began > URL_MARGIN_S
                if signed_again >= (_MOST_SIGNED_AGAIN if was_of_use else 1):
                    raise
                signed_again += 1
                signed = self._signed(task, first=True)

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
        self._plan.store.arrived(session_id, transfer.file).verify(full=self._plan.verify_full)
        return self._plan.store.keep(session_id, transfer.file, transfer.sha256)

    def _note(self, session_id: str, error: errors.SessionError) -> None:
        # The service said nothing of a session that it was not asked for.
        is_answer = not isinstance(error, errors.WaitTooLong)
        if self._plan.store is not None and self._plan.sound and is_answer:
            outcome = Outcome.of_error(error)
            self._plan.store.note(session_id, outcome.status, outcome.error)

    def _release(self, session_id: str) -> None:
        """Give a session back to other processes, as well as that goes when something else went wrong."""
        if self._plan.store is not None and self._plan.sound:
            with contextlib.suppress(errors.StoreError):
                self._plan.store.release(session_id)
