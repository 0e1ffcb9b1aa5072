"""A relay on loopback that passes connections on to a service, until its network goes away."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from kataven_notebook.demo import Hub

REFUSING = "refusing"
"""Nobody listens: connections are refused at once."""
CUTTING = "cutting"
"""Connections are taken and reset, as by a gateway whose network is gone."""
SILENT = "silent"
"""Connections are taken, and no answer ever comes."""


class Relay:
    """Passes connections on to a loopback port.

    Parameters
    ----------
    target_port
        The service's own port.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._away: str | None = None
        self.attempts = 0
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away(REFUSING)

    def go_away(self, how: str = REFUSING) -> None:
        """Break all connections, and pass none on until `come_back`."""
        self._away, self.attempts = how, 0
        if how == REFUSING:
            # Shutting it down ends the thread that waits in `accept`.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            for each in self._open:
                _reset(each)
            self._open.clear()

    def come_back(self) -> None:
        """Pass connections on again."""
        if self._away == REFUSING:
            self._listener = self._listen(self.port)
        self._away = None

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self.attempts += 1
            if self._away == CUTTING:
                _reset(near)
                continue
            with self._lock:
                self._open.add(near)
            if self._away == SILENT:
                continue
            far = socket.create_connection(("127.0.0.1", self._target_port))
            with self._lock:
                self._open.add(far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(1 << 16):
                other.sendall(piece)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)
        with self._lock:
            is_over = one not in self._open or other not in self._open
            self._open.discard(one)
            if is_over:
                one.close()
                other.close()


def relayed(hub: Hub) -> tuple[Relay, Relay, str]:
    """Put relays before a hub's API and storage, and return both with the API's new address."""
    api = Relay(int(hub.base_url.rpartition(":")[2].partition("/")[0]))
    storage = Relay(int(hub.storage_url.rpartition(":")[2]))
    # URLs that it signs from now on lead to the relay.
    hub._world.storage_port = storage.port
    return api, storage, f"http://127.0.0.1:{api.port}/v1"


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
