"""Keeps linear algebra to one core for a while, for all threads of the process together.

Its libraries spread a product over all cores, and where several threads or processes do that at once they wait
for each other in loops that burn all of them: several times slower than one core each.
"""

from __future__ import annotations

import functools
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
