"""Of what is asked for in quick succession the last is done, as when a key is held to run through a list."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


class Latest(Generic[P]):
    """Does the first thing asked for at once, and of those that follow quickly only the last.

    Parameters
    ----------
    work
        What to do; called in the thread that asks, or in one of its own when it had to wait.
    quiet_s
        As long as less time than this lies between two calls, seconds, what was asked for waits.

    Examples
    --------
    >>> done = []
    >>> open_call = Latest(done.append, quiet_s=60.0)
    >>> for key in range(200):
    ...     open_call(key)
    >>> done
    [0]
    """

    def __init__(self, work: Callable[P, object], *, quiet_s: float) -> None:
        self._work, self._quiet_s = work, quiet_s
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._waiting: Callable[[], object] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Ask for the work with these arguments."""
        with self._lock:
            is_first = time.monotonic() - self._asked_at >= self._quiet_s and self._waiting is None
            self._asked_at = time.monotonic()
            if not is_first:
                has_thread = self._waiting is not None
                self._waiting = lambda: self._work(*args, **kwargs)
                if not has_thread:
                    threading.Thread(target=self._wait, name="kataven-player-latest", daemon=True).start()
        if is_first:
            self._work(*args, **kwargs)

    def _wait(self) -> None:
        while True:
            with self._lock:
                left_s = self._asked_at + self._quiet_s - time.monotonic()
                if left_s <= 0:
                    work, self._waiting = self._waiting, None
                    break
            time.sleep(left_s)
        if work is not None:
            work()
