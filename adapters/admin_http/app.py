"""The ASGI application: three pages for tools, and the console beside them where it is on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.admin_http.bounds import OnlyReading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from adapters.admin_http.readiness import Readiness, Verdict
    from ports.clock import Clock

_NEVER_KEPT: Final = {"cache-control": "no-store"}
_NOT_HERE: Final = "Nothing here; ask for /livez, /readyz or /metrics.\n"
_NO_CONSOLE: Final = "The console is off; set ADMIN_CONSOLE=true."
CONSOLE: Final = "/console"


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

    handlers: Mapping[Any, Any] = {404: not_here}
    app = Starlette(
        routes=[
            Route("/livez", livez, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            Route("/metrics", shown, methods=["GET"]),
        ],
        exception_handlers=handlers,
    )
    # A redirect would repeat whatever host the request claims to be for.
    app.router.redirect_slashes = False
    pages: ASGIApp = OnlyReading(app, clock)
    if console is not None:
        pages = _with_console(pages, OnlyReading(console.app, clock, console.posts))
        return _with_closed_paths(pages, closed or {})
    closed = {CONSOLE: _NO_CONSOLE, **(closed or {})}
    return _with_closed_paths(pages, closed)


def _with_console(pages: ASGIApp, console: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        is_of_console = path == CONSOLE or path.startswith(f"{CONSOLE}/")
        await (console if is_of_console else pages)(scope, receive, send)

    return app


def _with_closed_paths(pages: ASGIApp, closed: Mapping[str, str]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        advice = closed.get(scope["path"])
        if advice is None:
            await pages(scope, receive, send)
            return
        # Whatever else was sent stays unread, so nothing more can come on this connection.
        headers = {**_NEVER_KEPT, "connection": "close"}
        response = PlainTextResponse(f"{advice}\n", status_code=404, headers=headers)
        await response(scope, receive, send)

    return app


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
