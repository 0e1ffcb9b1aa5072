"""Answers below and beside HTTP: whole ones, and ones that break off, stall, drip or never end."""

from __future__ import annotations

import asyncio
import contextlib
import http
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn.config import Config
    from uvicorn.server import ServerState

TRANSPORT = "kataven.demo.transport"
CHUNK_BYTES = 262_144
# What was written must reach the other side before a reset overtakes it.
FLUSH_S = 0.02


class TransportProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which also hands the application the connection, for faults below HTTP."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False
        self._inner: ASGIApp = self.app
        self.app = self._with_transport

    async def _with_transport(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[TRANSPORT] = self.transport
        # Cancelled only when the hub stops: that is no error worth a traceback.
        with contextlib.suppress(asyncio.CancelledError):
            await self._inner(scope, receive, send)


class Responder(Protocol):
    """Something that answers a request; `status` is what the log shows."""

    @property
    def status(self) -> int | None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send, /) -> None: ...


@dataclass
class Answer:
    """A whole, well-formed answer.

    Attributes
    ----------
    status
        HTTP status.
    headers
        By name as they are sent; ``Content-Length`` is added.
    body
        All of it.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send, /) -> None:
        """Send it, in chunks that keep the loop responsive."""
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        await send(_start(self.status, headers))
        view = memoryview(self.body)
        for start in range(0, len(view), CHUNK_BYTES):
            more = start + CHUNK_BYTES < len(view)
            await send({"type": "http.response.body", "body": view[start : start + CHUNK_BYTES], "more_body": more})
        if not self.body:
            await send({"type": "http.response.body", "body": b""})


@dataclass
class Endless:
    """An answer without a length whose chunks are sent for as long as somebody reads them."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterable[bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send chunks until there are none left or the client has gone."""
        transport: asyncio.Transport = scope["extensions"][TRANSPORT]
        await send(_start(self.status, self.headers))
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # uvicorn says nothing when the client has gone; without a pause here the loop would hang.
            await asyncio.sleep(0)
            if transport.is_closing():
                await disconnected(receive)
                return
        await send({"type": "http.response.body", "body": b""})


@dataclass
class Raw:
    """An answer written to the connection as it is, which then ends in one of three ways.

    Attributes
    ----------
    status
        HTTP status, for the head; None sends no head.
    headers
        Sent as they are: nothing is added, nothing is checked.
    pieces
        Parts of the body, written one by one.
    pause_s
        Seconds between pieces.
    ending
        ``"close"`` (orderly), ``"reset"`` (TCP RST) or ``"hold"`` (silence until the client goes).
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] = ()
    pause_s: float = 0.0
    ending: Literal["close", "reset", "hold"] = "close"

    async def __call__(self, scope: Scope, receive: Receive, _send: Send, /) -> None:
        """Write, end, and wait until the connection is gone."""
        transport: asyncio.Transport = scope["extensions"][TRANSPORT]
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            if self.status is not None:
                transport.write(head(self.status, self.headers))
            for piece in self.pieces:
                transport.write(piece)
                if self.pause_s and await _gone_within(gone, self.pause_s):
                    return
            await self._end(transport, gone)
            await gone
        finally:
            gone.cancel()

    async def _end(self, transport: asyncio.Transport, gone: asyncio.Future[None]) -> None:
        if self.ending == "close":
            transport.close()
        elif self.ending == "reset":
            if self.status is not None:
                while transport.get_write_buffer_size() and not await _gone_within(gone, FLUSH_S):
                    pass
                await _gone_within(gone, FLUSH_S)
            reset(transport)


def reset(transport: asyncio.Transport) -> None:
    """Break a connection with a TCP reset."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        # With a linger time of zero, closing sends RST in place of FIN.
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Give an answer's status line and headers as bytes."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def pieces_of(body: bytes, piece_bytes: int) -> Iterator[bytes]:
    """Cut a body into pieces of that many bytes."""
    return (body[start : start + piece_bytes] for start in range(0, len(body), piece_bytes))


async def disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _gone_within(gone: asyncio.Future[None], seconds: float) -> bool:
    done, _ = await asyncio.wait([gone], timeout=seconds)
    return bool(done)


def _start(status: int, headers: Mapping[str, str]) -> Message:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": encoded}
