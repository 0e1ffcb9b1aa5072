"""The Hub's API: one endpoint, mounted where the service mounts it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.routing import Route

from kataven_notebook.demo._accounts import CredentialError
from kataven_notebook.demo._asgi import Answer, Responder
from kataven_notebook.demo._control import control_routes
from kataven_notebook.demo._fault_kinds import API_TEXTS, UNCONFIGURED_TEXT
from kataven_notebook.demo._fault_table import Context
from kataven_notebook.demo._log import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from kataven_notebook.demo._limits import Excess
    from kataven_notebook.demo._world import World

# The service's own, the one its reference also lists, and the one for older clients.
MOUNTS = ("/v1", "/api/v1", "/hub-api", "/hub-api/v1")


class RecordingEndpoint:
    """``GET .../sessions/{id}/recording``."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and note it."""
        world = self._world
        # From the raw path: there an encoded slash is not yet one.
        path = scope["raw_path"].decode("latin-1")
        session_id = unquote(path.rsplit("/", 2)[1])
        headers = _headers(scope)
        entry = Request("api", session_id, scope["method"], path, world.log.now_s(), tuple(scope["headers"]))
        world.log.begin(entry)
        try:
            await self._answer(entry, headers, scope, receive, send)
        finally:
            world.log.end(entry)

    async def _answer(
        self, entry: Request, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        world = self._world
        if scope["method"] != "GET":
            await self._reply(entry, self._text(405, "method not allowed\n"), scope, receive, send)
            return
        try:
            account = world.accounts.identify(headers, world.now().timestamp())
        except CredentialError as refusal:
            await self._reply(entry, self._text(refusal.status, refusal.text), scope, receive, send)
            return
        entry.account = account
        excess = world.limiter.enter(account)
        if excess is not None:
            await self._reply(entry, self._refused(excess), scope, receive, send)
            return
        try:
            if world.options.api_latency_s > 0:
                await asyncio.sleep(world.options.api_latency_s)
            await self._reply(entry, self._signed(entry, account, headers), scope, receive, send)
        finally:
            world.limiter.leave(account)

    async def _reply(self, entry: Request, responder: Responder, scope: Scope, receive: Receive, send: Send) -> None:
        entry.status = responder.status
        await responder(scope, receive, send)

    def _signed(self, entry: Request, account: str, headers: Mapping[str, str]) -> Responder:
        session_id = entry.session_id or ""
        answer = self._answer_for(session_id, account)
        fault = self._world.faults.take("api", session_id)
        if fault is None:
            return answer
        entry.fault = fault.name
        host = headers.get("host", "")
        port = host.rpartition(":")[2]
        context = Context(
            "api",
            self._world.now(),
            f"http://{host}{entry.path}",
            lambda: f"http://localhost:{port}{entry.path}",
        )
        return fault.apply(answer, context)

    def _answer_for(self, session_id: str, account: str) -> Answer:
        world = self._world
        if account in world.accounts.unconfigured:
            return self._text(503, UNCONFIGURED_TEXT)
        session = world.sessions.get(session_id)
        if session is None or session.state == "missing":
            return self._text(404, API_TEXTS[404])
        if session.state == "pending":
            return self._text(409, API_TEXTS[409])
        headers = {"Date": world.http_date(), "Content-Type": "application/json"}
        return Answer(200, headers, json.dumps(self._body(session_id)).encode())

    def _body(self, session_id: str) -> dict[str, Any]:
        options = self._world.options
        body: dict[str, Any] = {options.url_field: self._world.sign(session_id)}
        expires_at = self._world.now() + timedelta(seconds=options.url_life_s)
        if options.expiry_field == "expires_in":
            body["expires_in"] = options.url_life_s
        elif options.expiry_field == "expires_at_epoch":
            body["expires_at"] = expires_at.timestamp()
        elif options.expiry_field == "expires_at":
            body["expires_at"] = expires_at.isoformat()
        return {"data": body} if options.nested else body

    def _refused(self, excess: Excess) -> Answer:
        options = self._world.options
        text = options.limit_text.format(limit=excess.limit, allowed=excess.allowed)
        if options.retry_after is None:
            return self._text(429, text)
        date = format_datetime(self._world.now() + timedelta(seconds=excess.retry_after_s), usegmt=True)
        value = options.retry_after.format(seconds=excess.retry_after_s, date=date)
        return self._text(429, text, **{"Retry-After": value})

    def _text(self, status: int, text: str, **headers: str) -> Answer:
        plain = {"Date": self._world.http_date(), "Content-Type": "text/plain; charset=utf-8"}
        return Answer(status, {**plain, **headers}, text.encode())


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def api_app(world: World) -> Starlette:
    """Give the API as an ASGI application."""
    endpoint = RecordingEndpoint(world)
    routes = [Route(f"{mount}/sessions/{{session_id}}/recording", endpoint) for mount in MOUNTS]
    app = Starlette(routes=[*routes, *control_routes(world)])
    # An id is one path segment: a redirect to a path without its last slash would be another route.
    app.router.redirect_slashes = False
    return app
