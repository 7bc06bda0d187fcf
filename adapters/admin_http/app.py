"""The ASGI application: pages for tools, the console where it is on, and the paths of a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Protocol, final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.admin_http.bounds import BodyRefusedError, OnlyReading, read_body
from ports.store_plugin import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from adapters.admin_http.readiness import Readiness, Verdict
    from ports.clock import Clock
    from ports.store_plugin import HttpRoute

_NEVER_KEPT: Final = {"cache-control": "no-store"}
_NOT_HERE: Final = "Nothing here; ask for /livez, /readyz or /metrics.\n"
_NO_CONSOLE: Final = "The console is off; set ADMIN_CONSOLE=true."
CONSOLE: Final = "/console"

OWN_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
_log = structlog.get_logger()


class Exposition(Protocol):
    """As `adapters.metrics.registry.Metrics` has it."""

    @property
    def content_type(self) -> str: ...

    def render(self) -> bytes: ...


class Console(Protocol):
    """Pages for people, below /console, as `adapters.console.app.Console` has them."""

    @property
    def app(self) -> ASGIApp: ...

    @property
    def posts(self) -> Mapping[str, int]: ...


def build_app(
    readiness: Readiness,
    metrics: Exposition,
    clock: Clock,
    *,
    closed: Mapping[str, str] | None = None,
    console: Console | None = None,
) -> ASGIApp:
    """Put the pages together.

    /livez answers as long as the event loop turns. /readyz answers 200 or 503 with every check's
    verdict. /metrics begins the checks that are due, for the next scrape to show.

    Args:
        closed: paths that other settings would open, each with what to do about it.
        console: what is shown to people, if anything.
    """

    async def livez(_: Request) -> Response:
        return PlainTextResponse("alive\n", headers=_NEVER_KEPT)

    async def readyz(_: Request) -> Response:
        verdicts = await readiness.report()
        ready = all(verdict.ok for verdict in verdicts.values())
        return Response(
            _written(verdicts, ready=ready),
            status_code=200 if ready else 503,
            media_type="application/json",
            headers=_NEVER_KEPT,
        )

    async def shown(_: Request) -> Response:
        readiness.refresh()
        return Response(
            metrics.render(), headers={**_NEVER_KEPT, "content-type": metrics.content_type}
        )

    async def not_here(_: Request, __: Exception) -> Response:
        return PlainTextResponse(_NOT_HERE, status_code=404, headers=_NEVER_KEPT)

    app = Starlette(
        routes=[
            Route("/livez", livez, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            Route("/metrics", shown, methods=["GET"]),
        ],
        exception_handlers={404: not_here},
    )
    # A redirect would repeat whatever host the request claims to be for.
    app.router.redirect_slashes = False
    pages = OnlyReading(app, clock)
    for_people = None if console is None else OnlyReading(console.app, clock, console.posts)
    closed = {**({CONSOLE: _NO_CONSOLE} if console is None else {}), **(closed or {})}

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        answer: ASGIApp = pages
        if path in closed:
            # Whatever else was sent stays unread, so nothing more can come on this connection.
            headers = {**_NEVER_KEPT, "connection": "close"}
            answer = PlainTextResponse(f"{closed[path]}\n", status_code=404, headers=headers)
        elif for_people is not None and _is_of_console(path):
            answer = for_people
        await answer(scope, receive, send)

    return route


def _is_of_console(path: str) -> bool:
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def _written(verdicts: Mapping[str, Verdict], *, ready: bool) -> bytes:
    checks = {
        name: {
            "ok": verdict.ok,
            "advice": verdict.advice,
            "age_seconds": round(verdict.age_seconds, 1),
        }
        for name, verdict in verdicts.items()
    }
    return json.dumps({"ready": ready, "checks": checks}, indent=2).encode() + b"\n"


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
            if route.path in {*self._routes, *OWN_PATHS} or _is_of_console(route.path):
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
            _log.exception("admin_http.route_failed", path=route.path, error=type(error).__name__)
            return _refusal(500, "failed", "The service failed; see its log.")
        return Response(
            answer.body,
            answer.status,
            {"cache-control": "no-store", "content-type": answer.content_type},
        )


def _refusal(
    status: int, reason: str, advice: str, headers: dict[str, str] | None = None
) -> Response:
    # What else was sent stays unread, so no further request can come on this connection.
    return JSONResponse(
        {"error": reason, "advice": advice},
        status,
        {"cache-control": "no-store", "connection": "close", **(headers or {})},
    )
