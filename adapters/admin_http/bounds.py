"""What a request to the admin HTTP may be: a GET or HEAD without a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_METHODS: Final = ("GET", "HEAD")


class OnlyReading:
    """Refuses everything else before anything of it is read, and ends its connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        refusal = _refusal(scope)
        await (refusal or self._app)(scope, receive, send)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    if scope["method"] not in _METHODS:
        return PlainTextResponse(
            "There is nothing to send here; use GET or HEAD.\n",
            status_code=405,
            headers={"allow": ", ".join(_METHODS), "connection": "close"},
        )
    headers = Headers(scope=scope)
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        return PlainTextResponse(
            "There is nothing to send here; leave the body out.\n",
            status_code=413,
            headers={"connection": "close"},
        )
    return None
