"""The machine's cores: how many this process may use, and linear algebra kept to one of them for a while.

Libraries of linear algebra spread a product over all cores. Where several threads or processes do that at once they
wait for each other in loops that burn all of them: several times slower than one core each.
"""

from __future__ import annotations

import functools
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import threadpoolctl

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@functools.cache
def _libraries() -> threadpoolctl.ThreadpoolController:
    # Looking the loaded libraries up takes milliseconds; limiting those that are known, microseconds.
    return threadpoolctl.ThreadpoolController()


@contextmanager
def one_core() -> Iterator[None]:
    """Hold the limit while anybody is inside; the last one out gives back what was before."""
    global _inside, _limit  # noqa: PLW0603 - the limit is the process's, and so is the count of who is inside
    with _lock:
        if not _inside:
            _limit = _libraries().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limit.restore_original_limits()


def keep_to_one_core() -> None:
    """Set the limit for good; for processes that do nothing else."""
    threadpoolctl.threadpool_limits(1, user_api="blas")


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
