"""The scheduler of a run: many sessions at a time, each on one thread, and their outcomes as they come.

One thread owns a session from its signature to its outcome, so that no URL waits in a queue. There are as many
threads as `stages` allows: while downloads take long, others sign.
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
from kataven_notebook.run.session import Fetcher
from kataven_notebook.run.stages import Stage, Stages
from kataven_notebook.service.answers import URL_MARGIN_S
from kataven_notebook.signals import Stopped, TryLater
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kataven_notebook.service.budget import Budget

# How many outcomes wait for the caller: one who takes them slowly must not have thousands in memory.
_WAITING_OUTCOMES = 64
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
        # An interrupt may come anywhere in the main thread. A lock as such is taken and given back in one step; one
        # that is taken through its condition stays locked for ever where the interrupt comes between two.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._began_at = time.time()
        self._unsigned = sum(self._needs_request(task) for task in self._todo)
        self._signed_ids: set[str] = set()
        limit = plan.settings.limits.in_flight
        self._stages = Stages(in_flight=plan.in_flight, signing=limit)
        # Not a queue: an outcome stays here until the caller has it, so that no interrupt loses one. Who hands over
        # takes a place first, and finds `_arrived` unlocked where nobody has been told of what is here.
        self._results: deque[tuple[str, Outcome] | BaseException] = deque()
        self._arrived = threading.Lock()
        self._arrived.acquire()
        self._places: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(plan.in_flight or limit or _WAITING_OUTCOMES):
            self._places.put(None)
        self._fetcher: Fetcher | None = None
        if any(task.recording is None for task in self._todo):
            self._fetcher = Fetcher(
                plan,
                stop=self._stop,
                on_signed=self._count_signed,
                on_arriving=lambda task: self._enter(task, Stage.ARRIVING),
                on_free=self._try_now,
            )
        self._threads: list[threading.Thread] = []
        self._running = 0
        self._numbers = itertools.count()
        # How many threads wait for a session to begin with: one is enough to see when the next may.
        self._idle = 0

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
        return dict(Counter(reason for *_, reason in list(self._later)))

    @property
    def outage(self) -> str | None:
        """Which host is away and until when nobody asks it, as progress displays say it."""
        return self._fetcher.hosts.outage() if self._fetcher is not None else None

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
            result = self._awaited(_POLL_S)
            if result is None:
                with self._lock:
                    self._let_begin()
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result
                self._discard()
            tick()

    def drain(self) -> list[tuple[str, Outcome]]:
        """Stop, and return what finishes within half a second, and what the caller was about to take."""
        finished: list[tuple[str, Outcome]] = []
        with contextlib.suppress(KeyboardInterrupt):  # interrupted again: return what there is
            self._stop_threads()
            ends_at = time.monotonic() + _DRAIN_S
            while self._left and (result := self._awaited(ends_at - time.monotonic())) is not None:
                if not isinstance(result, BaseException):
                    finished.append(result)
                self._discard()
        return finished

    def close(self) -> None:
        """Stop the threads and, once the last one has ended, close the connections."""
        self._stop_threads()
        with self._lock:
            threads, is_idle = list(self._threads), not self._running
        for thread in threads:
            # Once all is handed over the threads are about to end: wait, so that none outlives the run.
            if not self._left:
                thread.join()
        if is_idle:
            self._close_connections()
        elif self._fetcher is not None:
            self._fetcher.let_go()

    def _start_threads(self) -> None:
        with self._lock:
            self._hire()

    def _hire(self) -> None:
        """Start a thread where a session may begin and no thread waits for one."""
        if self._idle or self._stop.is_set() or self._ready() is None:
            return
        thread = threading.Thread(target=self._serve, name=f"kataven-{next(self._numbers)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine allows no more threads: the run goes on with fewer
            if not self._running:
                raise
            self._stages.most = self._running
            return
        self._running += 1
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]

    def _stop_threads(self) -> None:
        self._stop.set()
        if self._fetcher is not None:
            self._fetcher.stop()
        with self._lock:
            self._changed.notify_all()
            for _ in range(self._running):  # no thread waits for a caller who takes no more
                self._places.put(None)

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
            self._put(error)
        finally:
            with self._lock:
                self._running -= 1
                is_last = not self._running
            if is_last:
                self._close_connections()

    def _next(self) -> Task | None:
        """Return the next session, once it may begin; None where there is none, or another thread waits for it."""
        with self._lock:
            while not self._stop.is_set():
                task = self._ready()
                if task is not None:
                    if self._later and self._later[0][2] is task:
                        heapq.heappop(self._later)
                    else:
                        self._todo.popleft()
                    self._stages.enter(task.session_id, self._first_stage(task))
                    if self._fetcher is not None:
                        self._fetcher.hosts.go_ahead()
                    self._hire()
                    return task
                # A thread that puts a session off comes back for it: the others can end.
                if self._idle or not (self._todo or self._later):
                    return None
                self._idle += 1
                try:
                    self._changed.wait(self._pause_s())
                finally:
                    self._idle -= 1
        return None

    def _ready(self) -> Task | None:
        """Return the session that may begin now, without taking it."""
        is_due = bool(self._later) and self._later[0][0] <= time.monotonic()
        task = self._later[0][2] if is_due else next(iter(self._todo), None)
        if task is None:
            return None
        stage = self._first_stage(task)
        if not self._stages.may_begin(stage):
            return None
        # While the storage is away, more URLs would only grow old: hardly any is signed.
        is_held = stage is Stage.SIGNING and self._fetcher is not None and self._fetcher.is_storage_away()
        return None if is_held else task

    def _pause_s(self) -> float:
        """Return how long to wait until a session that was put off may be due; all else wakes who waits."""
        if not self._later:
            return _POLL_S
        return min(_POLL_S, max(0.001, self._later[0][0] - time.monotonic()))

    def _first_stage(self, task: Task) -> Stage:
        if task.recording is not None:
            return Stage.ARRIVING
        is_signed = task.signed is not None and task.signed.lives(URL_MARGIN_S)
        return Stage.AWAITED if is_signed else Stage.SIGNING

    def _enter(self, task: Task, stage: Stage) -> None:
        with self._lock:
            self._stages.enter(task.session_id, stage)
            self._let_begin()

    def _let_begin(self) -> None:
        """Wake the thread that waits, or start one, where a session has made room for the next."""
        if self._idle:
            self._changed.notify()
        else:
            self._hire()

    def _finish(self, task: Task) -> None:
        """Bring one session to its outcome and hand it over, or put it off."""
        try:
            outcome = self._worked(task.session_id, self._outcome(task))
        except TryLater as later:
            with self._lock:
                self._stages.leave(task.session_id)
                heapq.heappush(self._later, (later.at, next(self._order), task, later.reason))
                self._let_begin()
            return
        self._count_signed(task, is_over=True)
        self._put((task.session_id, outcome))
        with self._lock:
            self._stages.leave(task.session_id)
            self._let_begin()

    def _try_now(self, session_ids: set[str]) -> None:
        """Try sessions that were put off, whenever they would have been tried again."""
        with self._lock:
            self._later = [(0.0 if each[2].session_id in session_ids else each[0], *each[1:]) for each in self._later]
            heapq.heapify(self._later)
            self._let_begin()

    def _outcome(self, task: Task) -> Outcome:
        if task.recording is not None:
            return Outcome(Status.DOWNLOADED, recording=task.recording)
        assert self._fetcher is not None  # noqa: S101 - made where a task has no sound
        return self._fetcher.outcome(task)

    def _worked(self, session_id: str, outcome: Outcome) -> Outcome:
        """Return the outcome with what the plan's work makes of its sound."""
        if self._plan.work is None or outcome.recording is None:
            return outcome
        result = self._plan.work(session_id, outcome.recording, self._stop)
        kept = outcome.recording if self._plan.keep_sound else None
        return replace(outcome, recording=kept, value=result.value, work_error=result.error)

    def _put(self, result: tuple[str, Outcome] | BaseException) -> None:
        """Hand over to the caller, once there is a place."""
        if not self._stop.is_set():
            self._places.get()
        self._results.append(result)
        with contextlib.suppress(RuntimeError):  # unlocked already: somebody is about to be told
            self._arrived.release()

    def _awaited(self, timeout_s: float) -> tuple[str, Outcome] | BaseException | None:
        """Return what was handed over next, and leave it there; None where nothing comes.

        `SimpleQueue.get` can't be used: a signal at the very end of its time-out makes it wait for ever
        (Python 3.12.1, seen once in 160 runs that were interrupted each 10 ms).
        """
        ends_at = time.monotonic() + timeout_s
        while not self._results:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                return None
            self._arrived.acquire(timeout=left_s)
        return self._results[0]

    def _discard(self) -> None:
        """Remove what the caller has by now, and make room for another."""
        self._left -= not isinstance(self._results.popleft(), BaseException)
        self._places.put(None)

    def _needs_request(self, task: Task) -> bool:
        has_url = task.signed is not None and task.signed.lives(URL_MARGIN_S, now=self._began_at)
        return task.recording is None and not has_url

    def _count_signed(self, task: Task, *, is_over: bool = False) -> None:
        """Count a session that needs no request any more: it has its URL, or its outcome."""
        with self._lock:
            self._stages.enter(task.session_id, Stage.AWAITED)
            self._let_begin()
            if task.session_id not in self._signed_ids:
                self._unsigned -= self._needs_request(task)
                self._signed_ids.add(task.session_id)
            if is_over:
                self._signed_ids.remove(task.session_id)
