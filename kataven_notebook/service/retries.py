"""Retries with backoff and jitter, without a log line for each: a row's error says the outcome."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import stamina
from stamina import instrumentation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stamina.typing import RetryDetails, RetryHook


class _Here(threading.local):
    # Whether the retry that this thread schedules is one of this package's.
    is_ours = False


_here = _Here()


class _Others:
    """A hook that hears of the retries of others, and not of ours.

    stamina's hooks log each retry, through `logging` or through `structlog`, and are the process's: a user who
    retries with stamina too keeps them. A thread's name says nothing of whose retry it is: in a worker of an executor
    ours run in the main thread.
    """

    def __init__(self, hook: RetryHook) -> None:
        self._hook = hook

    def __call__(self, details: RetryDetails) -> Any:
        """Pass on what the user's own code retries."""
        return None if _here.is_ours else self._hook(details)


def retry_context(**options: Any) -> Iterator[stamina.Attempt]:
    """Yield attempts as `stamina.retry_context` does with these options, and call none of its hooks."""
    attempts = iter(stamina.retry_context(**options))
    attempt = next(attempts, None)
    while attempt is not None:
        yield attempt
        # Between two attempts stamina calls the hooks and waits.
        with _ours():
            attempt = next(attempts, None)


@contextmanager
def _ours() -> Iterator[None]:
    hooks = instrumentation.get_on_retry_hooks()
    if not all(isinstance(hook, _Others) for hook in hooks):
        # At the first retry, and after somebody has set others.
        instrumentation.set_on_retry_hooks([hook if isinstance(hook, _Others) else _Others(hook) for hook in hooks])
    _here.is_ours = True
    try:
        yield
    finally:
        _here.is_ours = False
