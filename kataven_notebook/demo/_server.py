"""ASGI applications under uvicorn in one thread of their own, each on its own loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import ServerState

from kataven_notebook.demo._asgi import TransportProtocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

HOST = "127.0.0.1"
# S3 closes connections that were idle for about this long.
KEEP_ALIVE_S = 20
STARTUP_TIMEOUT_S = 10.0
# asyncio takes three: the task that makes the transport, the protocol's start, the task's end.
_TURNS_TO_ACCEPT = 4


def listen(port: int = 0) -> socket.socket:
    """Bind a loopback port; 0 takes a free one.

    Raises
    ------
    OSError
        When the port is taken.
    """
    # The protocol is named because asyncio switches Nagle's algorithm off only then: 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            # On Windows this option would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


class ServerThread:
    """Serves applications until it is stopped, which takes milliseconds also with stalled connections.

    uvicorn's own server waits for connections to finish and polls ten times a second; a demo Hub whose faults
    hold connections open for ever needs neither, so only its protocol is used.

    Parameters
    ----------
    apps
        Each listener (bound, not yet listening) with the application that answers there.
    """

    def __init__(self, apps: Sequence[tuple[socket.socket, ASGIApp]]) -> None:
        self._apps = apps
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        # A daemon, so that a hub which was never stopped doesn't keep the interpreter from ending.
        self._thread = threading.Thread(target=self._run, name="kataven-demo-hub", daemon=True)

    def start(self) -> None:
        """Begin to serve; return when connections are accepted.

        Raises
        ------
        RuntimeError
            When the servers could not start.
        """
        self._thread.start()
        if not self._ready.wait(STARTUP_TIMEOUT_S) or self._failure is not None:
            raise RuntimeError("The demo Hub could not start to listen.") from self._failure

    def stop(self) -> None:
        """Cut all connections and end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - handed to the thread that called start
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop, self._stop = loop, asyncio.Event()
        state = ServerState()
        servers = []
        for listener, app in self._apps:
            config = _config(app)

            def protocol(config: Config = config) -> TransportProtocol:
                return TransportProtocol(config, state, {}, loop)

            servers.append(await loop.create_server(protocol, sock=listener, backlog=2_048))
        self._ready.set()
        await self._stop.wait()
        await _stop_accepting(loop, self._apps)
        for server in servers:
            server.close()
        await _cut(state)


def _config(app: ASGIApp) -> Config:
    # log_config=None and access_log=True leave the logging of the process as it is; the Date header is ours,
    # because the hub's clock may be set wrong on purpose.
    config = Config(
        app,
        interface="asgi3",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=True,
        proxy_headers=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    config.load()
    return config


async def _stop_accepting(loop: asyncio.AbstractEventLoop, apps: Sequence[tuple[socket.socket, ASGIApp]]) -> None:
    # A server that is closed forgets what it has accepted but not yet set up: those sockets would stay open.
    for listener, _ in apps:
        with contextlib.suppress(NotImplementedError):  # Windows' loop has no readers, and sets up at once
            loop.remove_reader(listener.fileno())
    for _ in range(_TURNS_TO_ACCEPT):
        await asyncio.sleep(0)


async def _cut(state: ServerState) -> None:
    for connection in list(state.connections):
        transport = connection.transport
        if transport is not None:
            transport.abort()
    # Two turns of the loop: uvicorn learns that the connections are gone, then nothing is left to say.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks = list(state.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
