"""Paths that a store serves on the admin listener, such as a webhook or a JWKS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.admin_http.app import CONSOLE
from adapters.admin_http.bounds import BodyRefusedError, read_body
from ports.store_plugin import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from ports.clock import Clock
    from ports.store_plugin import HttpRoute

OWN_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})

_log = structlog.get_logger()


@final
class StoreRoutes:
    """Answers on the store's paths, and leaves every other path to `pages`.

    A body is read whole, within its route's bound and five seconds, before the store sees it.

    Raises:
        ValueError: two routes, or a route and one of the listener's own pages, have one path.
    """

    def __init__(self, routes: Iterable[HttpRoute], pages: ASGIApp, clock: Clock) -> None:
        self._pages = pages
        self._clock = clock
        self._routes: dict[str, HttpRoute] = {}
        for route in routes:
            if route.path in self._routes or _is_own(route.path):
                raise ValueError(f"the path {route.path} is served twice")
            self._routes[route.path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        route = self._routes.get(scope["path"])
        if route is None:
            await self._pages(scope, receive, send)
        else:
            response = await self._answer(route, Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, route: HttpRoute, request: Request) -> Response:
        if request.method != route.method:
            return _refusal(405, "method", f"Use {route.method}.", {"allow": route.method})
        try:
            body = await read_body(request, route.max_body_bytes, self._clock)
        except BodyRefusedError as error:
            return _refusal(error.status, error.reason, error.advice)
        headers: dict[str, str] = {}
        for name, text in request.headers.items():
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        try:
            answer = await route.handle(HttpRequest(headers, body))
        except Exception as error:  # noqa: BLE001  whatever the store did, the sender gets an answer
            _log.error("admin_http.route_failed", path=route.path, error=type(error).__name__)
            return _refusal(500, "failed", "The service failed; see its log.")
        return Response(
            answer.body,
            answer.status,
            {"cache-control": "no-store", "content-type": answer.content_type},
        )


def _is_own(path: str) -> bool:
    return path in OWN_PATHS or path == CONSOLE or path.startswith(f"{CONSOLE}/")


def _refusal(
    status: int, reason: str, advice: str, headers: dict[str, str] | None = None
) -> Response:
    # What else was sent stays unread, so no further request can come on this connection.
    return JSONResponse(
        {"error": reason, "advice": advice},
        status,
        {"cache-control": "no-store", "connection": "close", **(headers or {})},
    )
