"""Calls a function on every recording of a run: in threads of this process, or on an executor."""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kataven_notebook.arguments import is_number
from kataven_notebook.errors import ConfigurationError, KatavenError, WorkFailed
from kataven_notebook.machine.cores import processors
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.executor import ExecutorWork
from kataven_notebook.run.invoke import Result, invoke, name_of
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Executor

    from kataven_notebook.run.plan import Plan
    from kataven_notebook.sound.recording import Recording

    # An executor, a function that makes one, or None for threads of this process.
    ExecutorLike = Executor | Callable[[], Executor] | None
    Rows = Mapping[str, Mapping[str, Any]]

# 30 years: clocks can't be told of times beyond a few centuries.
_LONGEST_WAIT_S = 1e9


@contextmanager
def working(
    plan: Plan,
    fn: Callable[..., Any],
    *,
    executor: ExecutorLike = None,
    fn_timeout_s: float | None = None,
    capture: bool = True,
    check: Callable[[Any], None] | None = None,
    rows: Rows | None = None,
) -> Iterator[Plan]:
    """Yield `plan` with `fn` as its work.

    Parameters
    ----------
    plan
        The limits of the run. Its store decides whether workers download: into a folder of this machine they do not.
    fn
        Called with a `Recording`.
    executor
        Where it runs; None for as many threads of this process as it has processors.
    fn_timeout_s
        After how many seconds a row has an error instead of a value; the function runs on.
    capture
        False raises the first failure, as `WorkFailed` from what `fn` raised.
    check
        Called in this process with each value; what it raises ends the run.
    rows
        By session what `fn` takes as its argument `row`; None where it takes the recording alone.

    Raises
    ------
    ConfigurationError
        No executor, one that is shut down, or a function that can't be sent to one.
    """
    if fn_timeout_s is not None and not (is_number(fn_timeout_s) and fn_timeout_s > 0):
        raise ConfigurationError(f"fn_timeout_s={fn_timeout_s!r}: pass a positive number of seconds, or None")
    if fn_timeout_s is not None:
        fn_timeout_s = min(fn_timeout_s, _LONGEST_WAIT_S)
    rule = _Rule(name_of(fn), fn_timeout_s, capture=capture, check=check)
    if executor is None:
        yield replace(plan, work=_LocalWork(fn, rule, rows), delegate=None)
    else:
        with ExecutorWork(plan, fn, executor, fn_timeout_s=fn_timeout_s, settle=rule.settle, rows=rows) as elsewhere:
            yield elsewhere.applied_to(plan)
    rule.warn_of_left_behind(in_threads=executor is None)


class _Rule:
    """What holds for every result of a run, wherever the function runs."""

    def __init__(
        self, name: str, fn_timeout_s: float | None, *, capture: bool, check: Callable[[Any], None] | None
    ) -> None:
        self._name = name
        self.fn_timeout_s = fn_timeout_s
        self._capture = capture
        self._check = check
        self._left_behind = 0

    def settle(self, result: Result, session_id: str | None) -> Result:
        """Return a result that holds for its row, or raise where that is asked for.

        Raises
        ------
        WorkFailed
            There is no value, and errors are not to be captured.
        Exception
            What `check` raises.
        """
        self._left_behind += result.timed_out
        if result.error is not None:
            if not self._capture:
                raise WorkFailed(f"{self._name} failed: {result.error}", session_id=session_id) from result.exception
        elif self._check is not None:
            self._check(result.value)
        return result

    def warn_of_left_behind(self, *, in_threads: bool) -> None:
        """Warn of recordings on which the function still runs; what it returns is ignored."""
        if not self._left_behind:
            return
        where = (
            "in threads of this process, which can't be killed: restart the kernel to be rid of them, or pass "
            "executor=ProcessPoolExecutor, whose processes end with the run"
            if in_threads
            else "in their workers until these end"
        )
        count = "1 recording" if self._left_behind == 1 else f"{self._left_behind} recordings"
        warn_caller(f"{self._name} took more than fn_timeout_s={self.fn_timeout_s:g} s on {count}, and runs on {where}")


class _LocalWork:
    """Runs the function in the thread that has fetched the sound, as many at once as there are processors."""

    def __init__(self, fn: Callable[..., Any], rule: _Rule, rows: Rows | None) -> None:
        self._fn = fn
        self._rows = rows
        self._rule = rule
        # As many at once as there are processors: more would slow each other down. Other threads download.
        self._turns = threading.Semaphore(processors())

    def __call__(self, session_id: str, recording: Recording, stop: threading.Event) -> Result:
        """Wait for a processor, and call the function."""
        try:
            recording = recording.near()  # before a processor is taken: a bucket answers slowly
        except KatavenError as error:
            return self._rule.settle(Result(error=str(error), exception=error), session_id)
        while not self._turns.acquire(timeout=0.2):
            if stop.is_set():
                raise Stopped
        try:
            fn = self._fn if self._rows is None else functools.partial(self._fn, row=self._rows[session_id])
            result = invoke(fn, recording, timeout_s=self._rule.fn_timeout_s, stop=stop)
        finally:
            self._turns.release()
        return self._rule.settle(result, session_id)
