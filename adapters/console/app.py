"""The console as an ASGI application below /console."""

from __future__ import annotations

from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.console.events import EventStreams
from adapters.console.figures import Figures
from adapters.console.form import MAX_BODY_BYTES, Entered, FormError, question_in, read_form
from adapters.console.guard import Guard
from adapters.console.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from adapters.console.feed import RequestFeed
    from adapters.console.sources import Sources
    from ports.clock import Clock

ROOT: Final = "/console"
EVENTS: Final = f"{ROOT}/events"
EXPLAIN: Final = f"{ROOT}/explain"
_ASSETS: Final = (
    ("console.css", "text/css"),
    ("console.js", "text/javascript"),
    ("icon.svg", "image/svg+xml"),
)


@final
class Console:
    """Read-only: its one POST asks what the rules say, and changes nothing.

    Attributes:
        app: answers below /console.
        posts: the paths that take a POST, with the bytes that a body may have.
        streams: the paths whose answers have no end.
    """

    posts: Final[Mapping[str, int]] = MappingProxyType({EXPLAIN: MAX_BODY_BYTES})
    streams: Final = frozenset({EVENTS})

    def __init__(self, sources: Sources, feed: RequestFeed, clock: Clock) -> None:
        self._sources = sources
        figures = Figures(sources.figures, clock)
        self._pages = pages = Pages(sources, figures, feed)
        self._events = EventStreams(feed, figures.reasons, clock)

        async def overview(request: Request) -> Response:
            return HTMLResponse(await pages.overview(request.url.hostname or "localhost"))

        app = Starlette(
            routes=[
                Route(ROOT, overview, methods=["GET"]),
                *(
                    Route(f"{ROOT}/{name}", _shown(page), methods=["GET"])
                    for name, page in (
                        ("requests", pages.requests),
                        ("store", pages.store),
                        ("policy", pages.policy),
                        ("keys", pages.keys),
                        ("reasons", pages.reasons),
                    )
                ),
                Route(EVENTS, self._events.respond, methods=["GET"]),
                Route(EXPLAIN, self._explain, methods=["POST"]),
                Route(EXPLAIN, _shown(pages.policy), methods=["GET"]),
                *(Route(f"{ROOT}/{name}", _asset(name, kind)) for name, kind in _ASSETS),
            ],
            exception_handlers={404: _not_here},
        )
        app.router.redirect_slashes = False
        self.app: ASGIApp = Guard(app)

    def close(self) -> None:
        """End the streams, within half a second."""
        self._events.close()

    async def _explain(self, request: Request) -> Response:
        body, entered = await request.body(), Entered()
        try:
            members, entered = read_form(body, request.headers.get("content-type", ""))
            question = question_in(members)
        except FormError as error:
            problem = str(error)
        else:
            judgement = await self._sources.judge(question)
            return HTMLResponse(await self._pages.policy(entered, judgement))
        return HTMLResponse(await self._pages.policy(entered, problem=problem), status_code=400)


def _shown(page: Callable[[], Awaitable[str]]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(_: Request) -> Response:
        return HTMLResponse(await page())

    return respond


def _asset(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = files("adapters.console").joinpath("static", name).read_bytes()

    async def respond(_: Request) -> Response:
        return Response(content, media_type=kind)

    return respond


async def _not_here(_: Request, __: Exception) -> Response:
    return PlainTextResponse("Nothing here; begin at /console.\n", status_code=404)
