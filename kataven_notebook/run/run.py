"""The scheduler of a run: many sessions at a time, each on one thread, and their outcomes as they come.

One thread owns a session from its signature to its outcome, so that no URL waits in a queue and the
memory in use is bounded by the number of threads.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import queue
import threading
import time
from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from kataven_notebook.run.plan import Outcome, Plan, Task
from kataven_notebook.run.session import Fetcher, TryLater
from kataven_notebook.service.answers import URL_MARGIN_S
from kataven_notebook.service.transport import THREAD_PREFIX
from kataven_notebook.signals import Stopped
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kataven_notebook.service.budget import Budget

_IN_FLIGHT = 64
# How long an interrupted run waits for what is about to finish.
_DRAIN_S = 0.5
_POLL_S = 0.2


class Run:
    """One run over some sessions.

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
        # When to try again, the order of arrival for equal times, what to try, and what it waits for.
        self._later: list[tuple[float, int, Task, str]] = []
        self._order = itertools.count()
        self._lock = threading.Condition()
        self._stop = threading.Event()
        self._began_at = time.time()
        self._unsigned = sum(self._needs_request(task) for task in self._todo)
        self._signed_ids: set[str] = set()
        in_flight = plan.in_flight or plan.settings.limits.in_flight or _IN_FLIGHT
        self._results: queue.Queue[tuple[str, Outcome] | BaseException] = queue.Queue(maxsize=in_flight)
        self._fetcher: Fetcher | None = None
        if any(task.recording is None for task in self._todo):
            self._fetcher = Fetcher(plan, stop=self._stop, on_signed=self._count_signed)
        self._threads = [
            threading.Thread(target=self._serve, name=f"{THREAD_PREFIX}{number}", daemon=True)
            for number in range(min(in_flight, self.total))
        ]
        self._running = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def budget(self) -> Budget | None:
        """The budget that the requests of this run are counted in; None where it needs no request."""
        return self._fetcher.budget if self._fetcher is not None else None

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
            A programming error, which is no outcome of a session.
        """
        self._start_threads()
        while self._left:
            try:
                result = self._results.get(timeout=_POLL_S)
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
            except (queue.Empty, KeyboardInterrupt):  # interrupted again: return what there is
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
            # Once all is handed over the threads are about to end: wait, so that none outlives the run.
            if not self._left and thread.ident is not None:
                thread.join()
        if not self._running:
            self._close_connections()

    def _start_threads(self) -> None:
        self._running = len(self._threads)
        for number, thread in enumerate(self._threads):
            try:
                thread.start()
            except RuntimeError:  # the machine allows no more threads: the run goes on with fewer
                with self._lock:
                    self._running -= len(self._threads) - number
                del self._threads[number:]
                if not number:
                    raise
                return

    def _stop_threads(self) -> None:
        self._stop.set()
        if self._fetcher is not None:
            self._fetcher.stop()
        with self._lock:
            self._lock.notify_all()

    def _close_connections(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()

    def _serve(self) -> None:
        """Take sessions until none is left; what a thread runs."""
        try:
            while (task := self._next()) is not None:
                self._finish(task)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - `outcomes` raises it in the caller's thread
            with contextlib.suppress(Stopped):
                self._put(error)
        finally:
            with self._lock:
                self._running -= 1
                is_last = not self._running
            if is_last:
                self._close_connections()

    def _next(self) -> Task | None:
        with self._lock:
            while not self._stop.is_set():
                now = time.monotonic()
                if self._later and self._later[0][0] <= now:
                    return heapq.heappop(self._later)[2]
                if self._todo:
                    return self._todo.popleft()
                # A thread that puts a session off comes back for it: the others can end.
                if not self._later:
                    return None
                self._lock.wait(min(_POLL_S, max(0.001, self._later[0][0] - now)))
        return None

    def _finish(self, task: Task) -> None:
        """Bring one session to its outcome and hand it over, or put it off."""
        try:
            outcome = self._worked(self._outcome(task))
        except TryLater as later:
            with self._lock:
                heapq.heappush(self._later, (later.at, next(self._order), task, later.reason))
                self._lock.notify()
            return
        self._count_signed(task, is_over=True)
        self._put((task.session_id, outcome))

    def _outcome(self, task: Task) -> Outcome:
        if task.recording is not None:
            return Outcome(Status.DOWNLOADED, recording=task.recording)
        assert self._fetcher is not None  # noqa: S101 - made where a task has no sound
        return self._fetcher.outcome(task)

    def _worked(self, outcome: Outcome) -> Outcome:
        """Return the outcome with what the plan's work makes of its sound."""
        if self._plan.work is None or outcome.recording is None:
            return outcome
        result = self._plan.work(outcome.recording, self._stop)
        kept = outcome.recording if self._plan.keep_sound else None
        return replace(outcome, recording=kept, value=result.value, work_error=result.error)

    def _put(self, result: tuple[str, Outcome] | BaseException) -> None:
        while True:
            try:
                return self._results.put(result, timeout=_POLL_S)
            except queue.Full:
                if self._stop.is_set():
                    raise Stopped from None

    def _needs_request(self, task: Task) -> bool:
        has_url = task.signed is not None and task.signed.lives(URL_MARGIN_S, now=self._began_at)
        return task.recording is None and not has_url

    def _count_signed(self, task: Task, *, is_over: bool = False) -> None:
        """Count a session that needs no request any more: it has its URL, or its outcome."""
        with self._lock:
            if task.session_id not in self._signed_ids:
                self._unsigned -= self._needs_request(task)
                self._signed_ids.add(task.session_id)
            if is_over:
                self._signed_ids.remove(task.session_id)
