"""Deadlines for a whole exchange.

A timeout holds for one read, so a host that sends a byte now and then never reaches it; a deadline ends such an
exchange too.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

# A thread has one exchange at a time, while connections are shared: so the deadline is the thread's.
_here = threading.local()


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """End all waiting of this thread's connections at `deadline`, by `time.monotonic`; an earlier deadline stays."""
    before = getattr(_here, "deadline", float("inf"))
    _here.deadline = min(before, deadline)
    try:
        yield
    finally:
        _here.deadline = before


def _left_s(timeout_s: float | None, error: type[Exception]) -> float | None:
    """Return the shorter of the timeout and the time left until the deadline; raise `error` where none is left."""
    deadline = getattr(_here, "deadline", float("inf"))
    if deadline == float("inf"):
        return timeout_s
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise error("the answer was not complete at its deadline")
    return left_s if timeout_s is None else min(timeout_s, left_s)


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens connections that keep the deadline of `until`.

    Parameters
    ----------
    inner
        Opens the connections.
    """

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host.

        Raises
        ------
        httpcore.ConnectTimeout
            The deadline has passed.
        """
        timeout = _left_s(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left_s(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
