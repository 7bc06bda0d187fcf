"""The console as an ASGI application below /console, and which requests reach it.

There is no login. So the console answers clients of this machine alone, whatever address the
listener has: an operator comes by `kubectl port-forward` or `ssh -L`. Beside it, pages of other
sites run in an operator's browser; they can send requests here, and must neither read an answer nor
make one be worked for.
"""

from __future__ import annotations

from importlib.resources import files
from ipaddress import IPv6Address, ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.console.feed import EventStreams
from adapters.console.figures import Figures
from adapters.console.pages import MAX_BODY_BYTES, Entered, FormError, Pages, question_in, read_form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from adapters.console.feed import RequestFeed
    from adapters.console.sources import Sources
    from ports.clock import Clock

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": CONTENT_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": a form would then be sent with the origin "null".
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

ROOT: Final = "/console"
EVENTS: Final = f"{ROOT}/events"
EXPLAIN: Final = f"{ROOT}/explain"
_ASSETS: Final = (
    ("console.css", "text/css"),
    ("console.js", "text/javascript"),
    ("icon.svg", "image/svg+xml"),
)


class Guard:
    """Refuses what comes from another machine or another site, and marks every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = _refusal(scope)
        await (refusal or self._app)(scope, receive, marked)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    if not _is_of_this_machine(scope):
        return _refused(
            "The console answers this machine alone; come by `kubectl port-forward` or `ssh -L`."
        )
    headers = Headers(scope=scope)
    if not _is_of_this_site(scope, headers):
        return _refused("Another site sent this; open the console in a tab of its own.")
    return None


def _refused(advice: str) -> PlainTextResponse:
    return PlainTextResponse(f"{advice}\n", status_code=403)


def _is_of_this_machine(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return False
    try:
        address = ip_address(client[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _is_of_this_site(scope: Scope, headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if scope["method"] == "POST":
        origins = headers.getlist("origin")
        # A form of this console always has an origin; what has none is no form of it.
        if len(origins) != 1 or site not in {None, "same-origin"}:
            return False
        origin = urlsplit(origins[0])
        return bool(origin.netloc) and origin.netloc.lower() == headers.get("host", "").lower()
    if site in {None, "same-origin", "none"}:
        return True
    # A link that an operator follows from elsewhere only shows a page.
    return headers.get("sec-fetch-mode") == "navigate"


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
