"""Runs the work on any `concurrent.futures.Executor`: no URL expires in its queue, and its workers may die."""

from __future__ import annotations

import threading
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import cloudpickle

from kataven_notebook.errors import ConfigurationError, UrlExpired, WorkFailed
from kataven_notebook.run.invoke import Result, name_of
from kataven_notebook.run.plan import Outcome
from kataven_notebook.run.pools import (
    check_executor,
    check_processes,
    closed,
    is_maker,
    is_of_dask,
    make_executor,
    see_off,
    shut_down,
    submit,
    worker_count,
)
from kataven_notebook.run.slots import Slots
from kataven_notebook.run.worker import Fetching, Job, run_job
from kataven_notebook.signals import NotAttempted, Stopped
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kataven_notebook.run.plan import Plan
    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.sound.recording import Recording

    Settle = Callable[[Result, str | None], Result]

# One job runs and the next one waits in the executor: in a longer queue URLs would only age.
_JOBS_A_WORKER = 2
_MAX_IN_FLIGHT = 256
_POLL_S = 0.2


class ExecutorWork:
    """Hands sessions to an executor and waits for what becomes of them.

    Parameters
    ----------
    plan
        The limits of the run.
    fn
        What is called with each recording.
    executor
        An executor, or a function that makes one; what it makes is shut down at the end.
    fn_timeout_s
        After how many seconds a worker returns without a value; the function runs on.
    settle
        Checks a result and returns it, or raises.
    rows
        By session what `fn` takes as its argument `row`.

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
        rows: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._settle = settle
        self._rows = rows
        self._fn_timeout_s = fn_timeout_s
        self._name = name_of(fn)
        self._make = executor if is_maker(executor) else None
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
        self._renewing = threading.Lock()
        # How many times the executor was made again.
        self._generation = 0
        self._broken: str | None = None
        self._executor = check_processes(
            make_executor(self._make) if self._make is not None else check_executor(executor)
        )
        self._function: Any = fn if isinstance(self._executor, ThreadPoolExecutor) else _packed(fn)
        if folder is not None and folder.url.startswith("memory:") and isinstance(self._function, bytes):
            raise ConfigurationError(
                f"the store {folder.url} is in the memory of this process, and workers would fill their own: use a "
                'place that they can reach, such as store="s3://bucket/calls"'
            )
        workers = worker_count(self._executor)
        self._in_flight = plan.in_flight or min(_MAX_IN_FLIGHT, _JOBS_A_WORKER * workers)
        self._slots = Slots(workers=workers, sessions=self._in_flight)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._make is not None:
            shut_down(self._executor, wait=kind is None)

    def applied_to(self, plan: Plan) -> Plan:
        """Return the plan with this work in it."""
        if not self._delegates:
            # A folder of this machine is filled by this process; workers read its files.
            return replace(plan, work=self._work, delegate=None, turn=None, in_flight=self._in_flight)
        is_here = isinstance(self._executor, ThreadPoolExecutor | ProcessPoolExecutor)
        plan = replace(plan, work=self._work, in_flight=self._in_flight)
        return replace(plan, delegate=self._delegate, is_delegate_here=is_here, turn=self._turn)

    @contextmanager
    def _turn(self, stop: threading.Event) -> Iterator[None]:
        with self._slots.session(stop):
            if self._broken is not None:
                raise NotAttempted(self._broken)
            yield

    def _work(self, session_id: str, recording: Recording, stop: threading.Event) -> Result:
        try:
            with self._turn(stop):
                result = self._run(self._job(session_id, recording=recording), stop)
        except NotAttempted as signal:
            return self._settle(Result(error=f"not attempted: {signal}; call again"), session_id)
        if result.failure is not None:
            result = Result(error=result.failure.message, exception=result.failure)
        return self._settle(self._unpacked(result), session_id)

    def _delegate(self, session_id: str, signed: SignedUrl, stop: threading.Event) -> Outcome:
        result = self._run(self._job(session_id, signed=signed), stop)
        if isinstance(result.failure, UrlExpired):
            # The session is signed again when a worker is free for it.
            self._slots.queue_nothing()
            self._slots.reserve(stop)
        if result.failure is not None:
            raise result.failure
        if result.entry is not None:
            self._store.learn(result.entry)
        try:
            settled = self._settle(self._unpacked(result), session_id)
        except WorkFailed as failure:
            # As an outcome: the sound itself is fine, and the store says so.
            return Outcome(Status.DOWNLOADED, signed=signed, work_error=failure.message, exception=failure)
        file = None if result.entry is None else result.entry.file
        return Outcome(Status.DOWNLOADED, signed=signed, value=settled.value, work_error=settled.error, file=file)

    def _job(self, session_id: str, **source: Any) -> Job:
        return Job(
            row=None if self._rows is None else self._rows[session_id],
            session_id=session_id,
            function=self._function,
            fetching=self._fetching,
            fn_timeout_s=self._fn_timeout_s,
            ends_with_home=not is_of_dask(self._executor),
            **source,
        )

    def _unpacked(self, result: Result) -> Result:
        """Return a worker's result with the objects that it packed as bytes."""
        if isinstance(result.exception, bytes):
            result = replace(result, exception=cloudpickle.loads(result.exception))
        if not isinstance(self._function, bytes) or result.value is None:
            return result
        try:
            return replace(result, value=cloudpickle.loads(result.value))
        except Exception as error:  # noqa: BLE001 - a value can refuse to be unpickled in any way
            text = f"what the function returned can't be read here: {type(error).__name__}: {error}"
            return replace(result, value=None, error=text, exception=error)

    def _run(self, job: Job, stop: threading.Event) -> Result:
        """Run a job; where its worker dies, once more with no other job beside it, which shows whose fault it is."""
        for alone in (False, True):
            with self._slots.job(alone=alone, stop=stop):
                generation, executor = self._generation, self._executor
                try:
                    return _awaited(submit(executor, run_job, job), stop)
                except (BrokenExecutor, CancelledError) as error:
                    if self._make is None and isinstance(error, BrokenExecutor):
                        return Result(failure=WorkFailed(self._give_up(executor), session_id=job.session_id))
                    self._renew(generation, is_broken=isinstance(error, BrokenExecutor))
                except (ConfigurationError, Stopped):
                    raise
                except Exception as error:
                    # Dask may not be installed, so its errors are known by their names.
                    if type(error).__name__ == "ClosedClientError":
                        raise closed(error) from None
                    if type(error).__name__ != "KilledWorker":
                        raise _unable(error) from error
        message = (
            f"the worker process died while {self._name} ran on it, also when tried alone: out of memory, or a crash "
            "in native code; run it on this recording by itself"
        )
        return Result(failure=WorkFailed(message, session_id=job.session_id))

    def _give_up(self, executor: Executor) -> str:
        with self._renewing:
            see_off(executor)
        self._broken = "one worker died, and the executor can't be used any more"
        return (
            f"{self._broken}: pass a function that makes an executor, such as executor=lambda: ProcessPoolExecutor(4); "
            "a new one is then made, and the work is repeated"
        )

    def _renew(self, generation: int, *, is_broken: bool) -> None:
        """Make a broken pool again, once for all the jobs that ended with it."""
        with self._renewing:
            if self._make is not None and self._generation == generation:
                if is_broken:
                    see_off(self._executor)
                else:
                    shut_down(self._executor, wait=False)
                self._executor = make_executor(self._make)
                self._generation += 1


def _unable(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the executor could not run the work ({type(error).__name__}: {error}): its workers need kataven-notebook in "
        "the same version"
    )


def _awaited(future: Future[Result], stop: threading.Event) -> Result:
    try:
        while True:
            try:
                return future.result(timeout=_POLL_S)
            except TimeoutError:
                if future.done():
                    raise
                if stop.is_set():
                    future.cancel()
                    raise Stopped from None
    finally:
        # An error of the future holds this frame, and would hold itself and the executor by it; see `pools.see_off`.
        del future


def _packed(fn: Callable[[Recording], Any]) -> bytes:
    try:
        packed: bytes = cloudpickle.dumps(fn)
    except Exception as error:  # noqa: BLE001 - objects refuse to be pickled in many ways
        raise ConfigurationError(
            f"{name_of(fn)} can't be sent to the executor's workers ({type(error).__name__}: {error}): make what it "
            "uses inside the function, such as models, connections and locks"
        ) from None
    return packed
