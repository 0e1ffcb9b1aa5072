"""The end of a worker process whose parent was killed: nobody is left to take its work or to stop it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOOK_EVERY_S = 0.5


def was_made_by(pid: int) -> bool:
    """Return whether `multiprocessing` in process `pid` made this process, by whatever start method."""
    parent = multiprocessing.parent_process()
    return parent is not None and parent.pid == pid


@contextmanager
def ending_with(pid: int) -> Iterator[None]:
    """End this process, without any clean-up, when process `pid` ends before this context does."""
    left = threading.Event()
    # A thread and no signal of the kernel: Linux has one for the end of the parent's thread, other systems have none.
    threading.Thread(target=_watch, args=(pid, left), name="kataven-parent", daemon=True).start()
    try:
        yield
    finally:
        left.set()


def end_with(pid: int, initializer: Callable[..., object] | None, *values: Any) -> None:
    """End this process when process `pid` ends; the initializer of a pool, which calls the user's own."""
    threading.Thread(target=_watch, args=(pid, threading.Event()), name="kataven-parent", daemon=True).start()
    if initializer is not None:
        initializer(*values)


def _watch(pid: int, left: threading.Event) -> None:
    try:
        watched = psutil.Process(pid)
        while not left.wait(_LOOK_EVERY_S):
            # A zombie was killed and not yet waited for by its own parent.
            if not watched.is_running() or watched.status() == psutil.STATUS_ZOMBIE:
                break
        else:
            return
    except psutil.NoSuchProcess:
        if left.is_set():
            return
    except psutil.Error:
        # A system that does not show it: better an orphan than a worker that ends in the middle of its work.
        return
    os._exit(1)
