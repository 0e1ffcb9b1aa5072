"""Work on any `concurrent.futures.Executor`: bounded, with URLs that live, and through workers' deaths."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import cloudpickle

from kataven_notebook.errors import ConfigurationError, UrlExpired, WorkFailed
from kataven_notebook.run.invoke import Called, name_of
from kataven_notebook.run.plan import Outcome
from kataven_notebook.run.worker import Fetching, Job, Report, run_job
from kataven_notebook.signals import NotAttempted, Stopped
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kataven_notebook.run.plan import Plan
    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.sound.recording import Recording

    Settle = Callable[[Called, str | None], tuple[Any, str | None]]

# One job runs and the next one is at hand: more would only let URLs age.
_JOBS_A_WORKER = 2
_MOST_IN_FLIGHT = 256
_SLICE_S = 0.2


class ExecutorWork:
    """Hands sessions to an executor and waits for what becomes of them.

    Parameters
    ----------
    plan
        The bounds of the run.
    fn
        What is called with each recording.
    executor
        An executor, or a function that makes one; what it makes is shut down at the end.
    fn_timeout_s
        After how many seconds a call is left behind.
    settle
        Turns a call into value and error, or raises.

    Raises
    ------
    ConfigurationError
        No executor, one that is shut down, or a function that can't be sent to one.
    """

    def __init__(
        self,
        plan: Plan,
        fn: Callable[[Recording], Any],
        executor: Executor | Callable[[], Executor],
        *,
        fn_timeout_s: float | None,
        settle: Settle,
    ) -> None:
        self._settle = settle
        self._fn_timeout_s = fn_timeout_s
        self._name = name_of(fn)
        # A class makes executors, too: `executor=ProcessPoolExecutor`.
        self._make = None if hasattr(executor, "submit") and not isinstance(executor, type) else executor
        folder = getattr(plan.store, "folder", None)
        self._delegates = plan.store is None or folder is not None
        self._store: Any = plan.store if folder is not None else None
        self._fetching = Fetching(
            request_timeout_s=plan.settings.request_timeout_s,
            total_timeout_s=plan.total_timeout_s,
            max_bytes=plan.max_bytes,
            verify_full=plan.verify_full,
            folder=folder,
        )
        self._lock = threading.Condition()
        self._busy = self._running = self._lone = self._reserved = 0
        self._mine = threading.local()
        self._generation = 0
        self._broken: str | None = None
        self._executor = _started(_checked(executor) if self._make is None else _made(self._make))
        self._function: Any = fn if isinstance(self._executor, ThreadPoolExecutor) else _packed(fn)
        if folder is not None and folder.url.startswith("memory:") and isinstance(self._function, bytes):
            raise ConfigurationError(
                f"the store {folder.url} is in the memory of this process, and workers would fill their own: use a "
                'place that they can reach, such as store="s3://bucket/calls"'
            )
        self._workers = _worker_count(self._executor)
        self._in_flight = plan.in_flight or min(_MOST_IN_FLIGHT, _JOBS_A_WORKER * self._workers)
        self._most = self._in_flight

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._make is not None:
            _shut_down(self._executor, wait=kind is None)

    def applied_to(self, plan: Plan) -> Plan:
        """Return the plan with this work in it."""
        if not self._delegates:
            # A folder of this machine is filled by this process; workers read its files.
            return replace(plan, work=self._work, delegate=None, turn=None, in_flight=self._in_flight)
        return replace(plan, work=self._work, delegate=self._delegate, turn=self._turn, in_flight=self._in_flight)

    @contextmanager
    def _turn(self, stop: threading.Event) -> Iterator[None]:
        """Wait until a session may begin; taken before its URL is signed, so that it does not age here."""
        with self._lock:
            while self._busy >= self._most:
                self._lock.wait(_SLICE_S)
                if stop.is_set():
                    raise Stopped
            if self._broken is not None:
                raise NotAttempted(self._broken)
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
                self._take_reserved()
                self._lock.notify_all()

    def _reserve(self, stop: threading.Event) -> None:
        """Wait for a worker that is free, and keep it for this thread until its next job or the end of its turn."""
        with self._lock:
            while self._running + self._reserved >= self._workers:
                self._lock.wait(_SLICE_S)
                if stop.is_set():
                    raise Stopped
            self._reserved += 1
            self._mine.has_reserved = True

    def _take_reserved(self) -> None:
        if getattr(self._mine, "has_reserved", False):
            self._reserved -= 1
            self._mine.has_reserved = False

    def _work(self, recording: Recording, stop: threading.Event) -> tuple[Any, str | None]:
        try:
            with self._turn(stop):
                report = self._run(self._job(recording.session_id, recording=recording), stop)
        except NotAttempted as signal:
            return self._settle(Called(error=f"not attempted: {signal}; call again"), recording.session_id)
        if report.failure is not None:
            return self._settle(Called(error=report.failure.message, exception=report.failure), recording.session_id)
        return self._settle(self._called(report), recording.session_id)

    def _delegate(self, session_id: str, signed: SignedUrl, stop: threading.Event) -> Outcome:
        report = self._run(self._job(session_id, signed=signed), stop)
        if isinstance(report.failure, UrlExpired):
            # Calls are so slow that URLs die in the queue: from now on nothing waits in it, and this session is
            # signed again when a worker is free for it.
            self._most = min(self._most, self._workers)
            self._reserve(stop)
        if report.failure is not None:
            raise report.failure
        if report.entry is not None:
            self._store.learn(report.entry)
        try:
            value, error = self._settle(self._called(report), session_id)
        except WorkFailed as failure:
            # As an outcome: the sound itself is fine, and the store says so.
            return Outcome(Status.DOWNLOADED, signed=signed, work_error=failure.message, exception=failure)
        return Outcome(Status.DOWNLOADED, signed=signed, value=value, work_error=error)

    def _job(self, session_id: str | None, **source: Any) -> Job:
        return Job(
            session_id=session_id,
            function=self._function,
            fetching=self._fetching,
            fn_timeout_s=self._fn_timeout_s,
            **source,
        )

    def _called(self, report: Report) -> Called:
        value, error = report.value, report.error
        exception = cloudpickle.loads(report.exception) if isinstance(report.exception, bytes) else report.exception
        if isinstance(self._function, bytes) and value is not None:
            try:
                value = cloudpickle.loads(value)
            except Exception as problem:  # noqa: BLE001 - a value can refuse to be unpickled in any way
                text = f"what the function returned can't be read here: {type(problem).__name__}: {problem}"
                value, error, exception = None, text, problem
        return Called(value, error, exception, report.timed_out)

    def _run(self, job: Job, stop: threading.Event) -> Report:
        # Who dies with others around may be innocent; who dies alone is not.
        for alone in (False, True):
            with self._place(alone=alone, stop=stop):
                generation, executor = self._generation, self._executor
                try:
                    return _awaited(_submitted(executor, job), stop)
                except (BrokenExecutor, CancelledError) as error:
                    if self._make is None and isinstance(error, BrokenExecutor):
                        return Report(failure=WorkFailed(self._given_up(), session_id=job.session_id))
                    self._renew(generation)
                except (ConfigurationError, Stopped):
                    raise
                except Exception as error:
                    # Told by their names: Dask may not be installed.
                    if type(error).__name__ == "ClosedClientError":
                        raise _closed(error) from None
                    if type(error).__name__ != "KilledWorker":
                        raise _unable(error) from error
        message = (
            f"the worker process died while {self._name} ran on it, also when tried alone: out of memory, or a crash "
            "in native code; run it on this recording by itself"
        )
        return Report(failure=WorkFailed(message, session_id=job.session_id))

    def _given_up(self) -> str:
        self._broken = "the executor that was given broke when one of its workers died"
        return (
            f"{self._broken}, and took this call with it: pass a function that makes an executor, such as "
            "executor=lambda: ProcessPoolExecutor(4); then it is made anew and its calls are tried again"
        )

    @contextmanager
    def _place(self, *, alone: bool, stop: threading.Event) -> Iterator[None]:
        """Run beside others, or alone: then nobody else runs meanwhile."""
        with self._lock:
            self._lone += alone
        try:
            self._enter(alone=alone, stop=stop)
            try:
                yield
            finally:
                with self._lock:
                    self._running -= 1
        finally:
            with self._lock:
                self._lone -= alone
                self._lock.notify_all()

    def _enter(self, *, alone: bool, stop: threading.Event) -> None:
        with self._lock:
            while self._running > 0 if alone else self._lone > 0:
                self._lock.wait(_SLICE_S)
                if stop.is_set():
                    raise Stopped
            self._take_reserved()
            self._running += 1

    def _renew(self, generation: int) -> None:
        """Make a broken pool anew, once for all that it took down."""
        with self._lock:
            if self._make is not None and self._generation == generation:
                _shut_down(self._executor, wait=False)
                self._executor = _made(self._make)
                self._generation += 1


def _unable(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the executor could not run the work ({type(error).__name__}: {error}): its workers need kataven-notebook in "
        "the same version"
    )


def _submitted(executor: Executor, job: Job) -> Future[Report]:
    # Dask takes equal calls for one, unless told that they are not pure.
    options = {"pure": False} if type(executor).__module__.startswith("distributed") else {}
    try:
        return executor.submit(run_job, job, **options)
    except BrokenExecutor:
        raise
    except RuntimeError as error:
        raise _closed(error) from None


def _awaited(future: Future[Report], stop: threading.Event) -> Report:
    while True:
        try:
            return future.result(timeout=_SLICE_S)
        except TimeoutError:
            if future.done():
                raise
            if stop.is_set():
                future.cancel()
                raise Stopped from None


def _closed(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the executor takes no work any more ({error}): make a new one, or pass a function that makes one, such as "
        "executor=lambda: ProcessPoolExecutor(4)"
    )


def _started(executor: Executor) -> Executor:
    """Make sure that a pool's processes live, before requests are spent on what they are to do."""
    if isinstance(executor, ProcessPoolExecutor):
        try:
            executor.submit(_nothing).result()
        except BrokenExecutor as error:
            raise ConfigurationError(
                f"the executor's processes end as they start ({error}): in a script, call this below "
                "`if __name__ == '__main__':`, and see what its initializer needs"
            ) from None
    return executor


def _checked(executor: Any) -> Executor:
    if not isinstance(executor, Executor):
        name = type(executor).__name__
        hint = "; of a Dask client, pass client.get_executor()" if hasattr(executor, "get_executor") else ""
        raise ConfigurationError(
            f"executor= takes a concurrent.futures.Executor or a function that makes one, not a {name}{hint}"
        )
    try:
        # Also starts a pool that forks, before this run has threads that a fork would copy half.
        options = {"pure": False} if type(executor).__module__.startswith("distributed") else {}
        executor.submit(_nothing, **options)
    except RuntimeError as error:  # a broken executor is one, too
        raise _closed(error) from None
    return executor


def _made(make: Callable[[], Executor]) -> Executor:
    if not callable(make):
        raise ConfigurationError(
            f"executor= takes a concurrent.futures.Executor or a function that makes one, not a {type(make).__name__}"
        )
    if threading.current_thread() is not threading.main_thread():
        return _checked(make())
    # Processes that are started now inherit this: a terminal sends Ctrl-C to all of them, and it is ours.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return _checked(make())
    finally:
        signal.signal(signal.SIGINT, before)


def _nothing() -> None:
    """Do nothing: a pool that can do this can work."""


def _packed(fn: Callable[[Recording], Any]) -> bytes:
    try:
        packed: bytes = cloudpickle.dumps(fn)
    except Exception as error:  # noqa: BLE001 - objects refuse to be pickled in many ways
        raise ConfigurationError(
            f"{name_of(fn)} can't be sent to the executor's workers ({type(error).__name__}: {error}): make what it "
            "uses inside the function, such as models, connections and locks"
        ) from None
    return packed


def _worker_count(executor: Executor) -> int:
    count = getattr(executor, "_max_workers", None)
    if count is None and (client := getattr(executor, "_client", None)) is not None:
        count = sum(client.nthreads().values())
    return max(1, int(count or 4))


def _shut_down(executor: Executor, *, wait: bool) -> None:
    try:
        executor.shutdown(wait=wait, cancel_futures=True)
    except TypeError:  # Dask's takes no such option
        executor.shutdown(wait=wait)
