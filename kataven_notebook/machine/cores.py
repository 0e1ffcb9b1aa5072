"""The machine's cores: how many this process may use, and linear algebra limited to one of them.

Libraries of linear algebra spread each product over all cores. When several threads or processes do so at once, they
wait for each other in busy loops, which makes them several times slower than with one core each.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import threadpoolctl

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@functools.lru_cache(maxsize=1)
def _libraries(_modules: int) -> threadpoolctl.ThreadpoolController:
    # Finding the loaded libraries takes milliseconds; limiting known ones takes microseconds. A module that is
    # imported later, such as scipy, may bring one of its own.
    return threadpoolctl.ThreadpoolController()


@contextmanager
def _any_thread_may_change_limits() -> Iterator[None]:
    # From threadpoolctl 3.8 on, what any other thread sets than the first that did so is silently ignored; but the
    # thread that leaves last has to lift the limit that another one has set.
    clear = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda **_: None)
    clear(force=True)
    try:
        yield
    finally:
        clear(force=True)


@contextmanager
def one_core() -> Iterator[None]:
    """Limit linear algebra to one core while any thread is inside; the last thread to leave lifts the limit."""
    global _inside, _limit  # noqa: PLW0603 - the limit is the process's, and so is the count of threads inside
    with _lock:
        if not _inside:
            with _any_thread_may_change_limits():
                _limit = _libraries(len(sys.modules)).limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                with _any_thread_may_change_limits():
                    _limit.restore_original_limits()


def keep_to_one_core() -> None:
    """Limit linear algebra to one core for good; for processes that do nothing else."""
    with _any_thread_may_change_limits():
        threadpoolctl.threadpool_limits(1, user_api="blas")


def processors() -> int:
    """Return how many processors this process may use."""
    # In a container or under taskset these are fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
