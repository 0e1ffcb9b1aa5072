"""Object storage on a port of its own: presigned GETs, verified and expiring, as S3 answers them."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.routing import Route

from kataven_notebook.demo._asgi import Answer, Responder
from kataven_notebook.demo._fault_table import Context
from kataven_notebook.demo._log import Request
from kataven_notebook.demo._sigv4 import StorageError, verify
from kataven_notebook.demo._world import BUCKET, StoredSession, World, object_key
from kataven_notebook.demo._xml import error_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
EXPOSED = "Accept-Ranges, Content-Length, Content-Range, Date, ETag"


class StorageEndpoint:
    """Every path of the storage host."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and note it."""
        world = self._world
        path = scope["raw_path"].decode("latin-1")
        entry = Request("storage", _session_id(path), scope["method"], path, world.log.now_s(), tuple(scope["headers"]))
        world.log.begin(entry)
        try:
            # Expiry counts when the request starts, not when its answer does.
            responder = self._respond(entry, scope)
            if world.options.storage_latency_s > 0:
                await asyncio.sleep(world.options.storage_latency_s)
            entry.status = responder.status
            await responder(scope, receive, send)
        finally:
            world.log.end(entry)

    def _respond(self, entry: Request, scope: Scope) -> Responder:
        world = self._world
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        common = self._common(headers)
        if entry.method == "OPTIONS":
            return Answer(200 if world.options.cors else 403, common)
        try:
            verify(entry.method, entry.path, query, headers, world.credentials, now=world.now())
            session = self._find(entry.session_id)
        except StorageError as refusal:
            return error_answer(refusal, common)
        answer = _object(session, headers, common)
        fault = world.faults.take("storage", session.session_id)
        if fault is None:
            return answer
        entry.fault = fault.name
        url = f"http://{headers.get('host', '')}{entry.path}?{query}"
        context = Context("storage", world.now(), url, lambda: world.sign(session.session_id, host="localhost"))
        return fault.apply(answer, context)

    def _find(self, session_id: str | None) -> StoredSession:
        session = self._world.sessions.get(session_id or "")
        if session is None or session.state != "ready":
            raise StorageError(404, "NoSuchKey", "The specified key does not exist.")
        return session

    def _common(self, headers: Mapping[str, str]) -> dict[str, str]:
        common = {"Date": self._world.http_date(), "x-amz-request-id": secrets.token_hex(8).upper()}
        if self._world.options.cors and "origin" in headers:
            common |= {
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": "GET",
                "Access-Control-Allow-Headers": "Range, If-Match",
                "Access-Control-Expose-Headers": EXPOSED,
            }
        return common


def _session_id(path: str) -> str | None:
    prefix = f"/{BUCKET}/{object_key('')}"
    return unquote(path.removeprefix(prefix)) if path.startswith(prefix) else None


def _object(session: StoredSession, headers: Mapping[str, str], common: Mapping[str, str]) -> Answer:
    try:
        data, etag = session.content()
    except OSError:
        return error_answer(StorageError(404, "NoSuchKey", "The specified key does not exist."), common)
    if headers.get("if-match", etag) not in (etag, "*"):
        message = "At least one of the pre-conditions you specified did not hold"
        return error_answer(StorageError(412, "PreconditionFailed", message, {"Condition": "If-Match"}), common)
    total = len(data)
    full = {
        **common,
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Type": session.content_type,
        "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    try:
        span = _span(headers.get("range"), total)
    except StorageError as refusal:
        return error_answer(refusal, {**common, "Content-Range": f"bytes */{total}"})
    if span is None:
        return Answer(200, full, data)
    first, last = span
    return Answer(206, {**full, "Content-Range": f"bytes {first}-{last}/{total}"}, data[first : last + 1])


def _span(value: str | None, total: int) -> tuple[int, int] | None:
    match = RANGE.fullmatch((value or "").strip())
    if match is None or match.groups() == ("", ""):
        # One range a request; anything else is answered with the whole object.
        return None
    if match[1] == "":
        first, last = max(0, total - int(match[2])), total - 1
    else:
        first, last = int(match[1]), int(match[2] or total - 1)
    if first >= total or last < first:
        details = {"RangeRequested": value or "", "ActualObjectSize": str(total)}
        raise StorageError(416, "InvalidRange", "The requested range is not satisfiable", details)
    return first, min(last, total - 1)


def storage_app(world: World) -> Starlette:
    """Give the storage as an ASGI application."""
    return Starlette(routes=[Route("/{path:path}", StorageEndpoint(world))])
