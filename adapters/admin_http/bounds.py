"""What a request to the admin HTTP may be: a GET or HEAD without a body, and few POSTs with one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from adapters.admin_http.bodies import BodyRefusedError, read_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ports.clock import Clock

_METHODS: Final = ("GET", "HEAD")
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


class OnlyReading:
    """Refuses everything else before anything of it is read, and ends its connection.

    Args:
        app: answers what is not refused.
        posts: the paths that take a POST, each with the bytes that its body may have; the app gets
            that body whole.
    """

    def __init__(self, app: ASGIApp, clock: Clock, posts: Mapping[str, int] = _NONE) -> None:
        self._app = app
        self._clock = clock
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        max_bytes = self._posts.get(scope["path"]) if scope["method"] == "POST" else None
        if max_bytes is not None:
            await self._post(max_bytes, scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    async def _post(self, max_bytes: int, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(Request(scope, receive), max_bytes, self._clock)
        except BodyRefusedError as error:
            await _closing(error.advice, error.status)(scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def read() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, read, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if scope["method"] not in _METHODS:
            allowed = [*_METHODS, *(["POST"] if scope["path"] in self._posts else [])]
            refusal = _closing("There is nothing to send here; use GET or HEAD.", 405)
            refusal.headers["allow"] = ", ".join(allowed)
            return refusal
        headers = Headers(scope=scope)
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return _closing("There is nothing to send here; leave the body out.", 413)
        return None


def _closing(advice: str, status: int) -> PlainTextResponse:
    return PlainTextResponse(f"{advice}\n", status, {"connection": "close"})
