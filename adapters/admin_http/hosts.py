"""Whom a request to the admin HTTP is addressed to, and where its body ends: both beyond doubt.

A page in an operator's browser can have its own name resolve to this machine (DNS rebinding) and
would then read what is shown here: its requests still name the page's host. And a body that a proxy
and this server end at different bytes hides a second request from the proxy.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?", re.ASCII)
_MISDIRECTED: Final = 421
_CLOSED: Final = {"cache-control": "no-store", "connection": "close"}


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
