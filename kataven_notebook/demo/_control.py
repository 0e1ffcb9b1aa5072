"""A way in for other processes: counts, sessions, faults and options of a hub that runs on its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kataven_notebook.demo._world import StoredSession

if TYPE_CHECKING:
    from kataven_notebook.demo._world import World

PREFIX = "/_demo"
Handler = Callable[[Request], Awaitable[Response]]


def control_routes(world: World) -> list[Route]:
    """Give the routes under ``/_demo``; each wants one of the hub's API keys as its bearer token.

    ``GET stats`` counts requests; ``DELETE stats`` forgets them and closes the limits' windows. ``POST
    sessions`` adds sessions that share one recording: ``{"session_ids": [...], "data": base64}``, and
    ``"content_type"`` or ``"state"`` if need be. ``POST faults`` adds a fault, with the arguments of
    `Faults.add`; ``DELETE faults`` takes all away. ``PATCH options`` changes fields of `Options`.
    """

    async def stats(request: Request) -> Response:
        if request.method == "DELETE":
            world.log.clear()
            world.limiter.reset()
        return JSONResponse(world.log.to_dict())

    async def sessions(request: Request) -> Response:
        body = await request.json()
        data = base64.b64decode(body.get("data", ""))
        for session_id in body["session_ids"]:
            world.sessions[session_id] = StoredSession(
                session_id, data, body.get("content_type", "audio/wav"), body.get("state", "ready")
            )
        return JSONResponse({"sessions": len(world.sessions)})

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            world.faults.clear()
        else:
            world.faults.add(**await request.json())
        return Response(status_code=204)

    async def options(request: Request) -> Response:
        changes: dict[str, Any] = await request.json()
        known = {field.name for field in fields(world.options)} - {"signer"}
        if set(changes) - known:
            raise ValueError(f"Unknown options: {', '.join(sorted(set(changes) - known))}")
        for name, value in changes.items():
            setattr(world.options, name, value)
        return Response(status_code=204)

    return [
        Route(f"{PREFIX}/stats", _guarded(world, stats), methods=["GET", "DELETE"]),
        Route(f"{PREFIX}/sessions", _guarded(world, sessions), methods=["POST"]),
        Route(f"{PREFIX}/faults", _guarded(world, faults), methods=["POST", "DELETE"]),
        Route(f"{PREFIX}/options", _guarded(world, options), methods=["PATCH"]),
    ]


def _guarded(world: World, handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in world.accounts.keys:
            return Response("unauthorized\n", status_code=401)
        try:
            return await handler(request)
        except (KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
            return Response(f"{error}\n", status_code=400)

    return guarded
