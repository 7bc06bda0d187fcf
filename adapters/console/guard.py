"""Which requests reach the console, and what a browser may do with its answers.

There is no login. So the console answers clients of this machine alone, whatever address the
listener has: an operator comes by `kubectl port-forward` or `ssh -L`. Beside it, pages of other
sites run in an operator's browser; they can send requests here, and must neither read an answer nor
make one be worked for.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
