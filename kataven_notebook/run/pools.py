"""The executors that users pass: made, checked and shut down."""

from __future__ import annotations

import functools
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, TypeGuard

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.machine.parent import end_with

if TYPE_CHECKING:
    from collections.abc import Callable

# Where an executor does not say how many workers it has.
_WORKERS = 4


def is_maker(executor: object) -> TypeGuard[Callable[[], Executor]]:
    """Return whether it makes executors, as a function or a class does, and is none itself."""
    return isinstance(executor, type) or not hasattr(executor, "submit")


def make_executor(make: Callable[[], Executor]) -> Executor:
    """Return what `make` makes, checked.

    Raises
    ------
    ConfigurationError
        `make` can't be called, or makes no executor that can be used.
    """
    if not callable(make):
        raise _no_executor(make)
    if threading.current_thread() is not threading.main_thread():
        return check_executor(_ending_with_this_process(make()))
    # Processes that start now inherit this: a terminal sends Ctrl-C to all of them, and only this one is to take it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return check_executor(_ending_with_this_process(make()))
    finally:
        signal.signal(signal.SIGINT, before)


def _ending_with_this_process(executor: Any) -> Any:
    """Return the executor; processes that it starts from now on end when this one is killed, idle ones too.

    By themselves they wait for work for ever: where they are forked, each holds the ends of the others' pipes open.
    """
    # There is no public way to give an initializer to a pool that is made already. A pool without these attributes
    # is left as it is; its processes still end where they have work of ours, see `worker.run_job`.
    is_pool = isinstance(executor, ProcessPoolExecutor) or "loky" in type(executor).__module__.split(".")
    if is_pool and hasattr(executor, "_initializer"):
        bound = functools.partial(end_with, os.getpid(), executor._initializer)  # noqa: SLF001 - see above
        executor._initializer = bound  # noqa: SLF001 - see above
    return executor


def check_executor(executor: Any) -> Executor:
    """Return the executor if it takes work.

    Raises
    ------
    ConfigurationError
        It is none, or is shut down or broken.
    """
    if not isinstance(executor, Executor):
        hint = "; of a Dask client, pass client.get_executor()" if hasattr(executor, "get_executor") else ""
        raise _no_executor(executor, hint)
    # This also starts a pool that forks, before the run has threads: a fork would copy their locks and not them.
    try:
        submit(executor, _nothing)
    except BrokenExecutor as error:
        see_off(executor)
        raise closed(error) from None
    return executor


def check_processes(executor: Executor) -> Executor:
    """Return the executor if its processes, should it have any, stay alive: before requests are spent on their work.

    Raises
    ------
    ConfigurationError
        The processes end as they start.
    """
    if isinstance(executor, ProcessPoolExecutor):
        try:
            executor.submit(_nothing).result()
        except BrokenExecutor as error:
            see_off(executor)
            raise ConfigurationError(
                f"the executor's processes end as they start ({error}): in a script, call this below "
                "`if __name__ == '__main__':`, and see what its initializer needs"
            ) from None
    return executor


def is_of_dask(executor: Executor) -> bool:
    """Return whether it hands work to a Dask cluster, which may not be installed, and ends its workers itself."""
    return type(executor).__module__.startswith("distributed")


def submit(executor: Executor, fn: Callable[..., Any], *values: Any) -> Future[Any]:
    """Hand a function call to the executor.

    Raises
    ------
    ConfigurationError
        It is shut down.
    BrokenExecutor
        One of its workers died, now or before.
    """
    # Dask takes equal calls for one, unless they are declared impure.
    options = {"pure": False} if is_of_dask(executor) else {}
    try:
        return executor.submit(fn, *values, **options)
    except BrokenExecutor:
        raise
    except RuntimeError as error:
        raise closed(error) from None


def closed(error: Exception) -> ConfigurationError:
    """Return the error of an executor that takes no work any more."""
    return ConfigurationError(
        f"the executor takes no work any more ({error}): make a new one, or pass a function that makes one, such as "
        "executor=lambda: ProcessPoolExecutor(4)"
    )


def worker_count(executor: Executor) -> int:
    """Return how many jobs the executor runs at once."""
    count = getattr(executor, "_max_workers", None)
    if count is None and (client := getattr(executor, "_client", None)) is not None:
        count = sum(client.nthreads().values())
    return max(1, int(count or _WORKERS))


def shut_down(executor: Executor, *, wait: bool) -> None:
    """Shut the executor down; what is in its queue is dropped."""
    try:
        executor.shutdown(wait=wait, cancel_futures=True)
    except TypeError:  # Dask's takes no such option
        executor.shutdown(wait=wait)


def see_off(executor: Executor) -> None:
    """Wait until nothing of an executor that broke is left; its workers are gone, or going.

    The thread of a pool that broke holds a lock while it ends, and the error that it hands out holds whoever waited.
    If by that it is the last to hold the executor, Python 3.12 waits for that lock in the same thread, and the process
    never ends.
    """
    executor.shutdown(wait=True)


def _no_executor(value: object, hint: str = "") -> ConfigurationError:
    return ConfigurationError(
        "executor= takes a concurrent.futures.Executor or a function that makes one, not a "
        f"{type(value).__name__}{hint}"
    )


def _nothing() -> None:
    """Do nothing: a pool that can do this can work."""
