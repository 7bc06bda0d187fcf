"""What a request to the admin HTTP may be: a GET or HEAD without a body, and few POSTs with one.

It must also be clear which host a request is for, and where its body ends. A page in an operator's
browser can have its own name resolve to this machine (DNS rebinding) and would then read what is
shown here: its requests still name the page's host. And a body that a proxy and this server end at
different bytes hides a second request from the proxy.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ports.clock import Clock

BODY_SECONDS: Final = 5.0

_METHODS: Final = ("GET", "HEAD")
_NONE: Final[Mapping[str, int]] = MappingProxyType({})
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?", re.ASCII)
_MISDIRECTED: Final = 421
_CLOSED: Final = {"cache-control": "no-store", "connection": "close"}


class BodyRefusedError(Exception):
    """The body is not read to its end, so no further request can come on its connection. `advice`:
    what the sender must change.
    """

    def __init__(self, status: int, reason: str, advice: str) -> None:
        super().__init__(advice)
        self.status = status
        self.reason = reason
        self.advice = advice


async def read_body(request: Request, max_bytes: int, clock: Clock) -> bytes:
    """Read it within five seconds.

    Raises:
        BodyRefusedError: it is longer than `max_bytes`, or does not arrive in time.
    """
    body = bytearray()
    try:
        async with clock.timeout_at(clock.monotonic() + BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    break
            else:
                return bytes(body)
    except (TimeoutError, ClientDisconnect):
        error = 408, "body_incomplete", "The body did not arrive; check the network."
    else:
        error = 413, "body_too_large", f"Send at most {max_bytes} bytes."
    raise BodyRefusedError(*error)


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


class KnownHostsOnly:
    """Refuses requests that name another host, or that are framed in two ways.

    Known are loopback names and addresses, the address that the connection came in at, and `names`.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(map(_plain, names)) | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        refusal = _framing_refusal(scope) or self._host_refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _host_refusal(self, scope: Scope) -> PlainTextResponse | None:
        hosts = Headers(scope=scope).getlist("host")
        # HTTP/1.0 has no such header, and browsers do not speak it.
        if not hosts and scope["http_version"] == "1.0":
            return None
        if len(hosts) == 1 and self._is_known(hosts[0], scope):
            return None
        return PlainTextResponse(
            "This host is not known here; address the service by its IP address, or list the name "
            "in ADMIN_HOSTS.\n",
            status_code=_MISDIRECTED,
            headers=_CLOSED,
        )

    def _is_known(self, host: str, scope: Scope) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = _plain(found[1].strip("[]"))
        if name in self._names:
            return True
        try:
            address = _unmapped(name)
        except ValueError:
            return False
        server = scope.get("server")
        return address.is_loopback or (server is not None and address == _unmapped(server[0]))


def _framing_refusal(scope: Scope) -> PlainTextResponse | None:
    headers = Headers(scope=scope)
    coded = "transfer-encoding" in headers
    if not coded or ("content-length" not in headers and scope["http_version"] != "1.0"):
        return None
    return PlainTextResponse(
        "Where the body ends is said in two ways; send Content-Length or Transfer-Encoding.\n",
        status_code=400,
        headers=_CLOSED,
    )


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _unmapped(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
