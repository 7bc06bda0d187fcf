"""One request as it goes over the wire."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, final
from urllib.parse import unquote, urlsplit

from adapters.upstream.server_address import DEFAULT_PORTS

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamRequest

_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


@final
class RequestBytes:
    """Writes requests to one server.

    Args:
        base_url: of the server; requests to another one are refused.
        proxy_url: of a proxy that each request is sent to as a whole URL; None for none.
    """

    def __init__(self, base_url: str, proxy_url: str | None = None) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        host = _ascii(parts.netloc).removesuffix(f":{DEFAULT_PORTS[parts.scheme]}")
        self._prefix = "" if proxy_url is None else self._origin
        self._fixed = f" HTTP/1.1\r\nHost: {host}\r\n"
        self._fixed_lines = 2
        if proxy_url is not None and (login := proxy_authorization(proxy_url)):
            self._fixed += f"Proxy-Authorization: {login}\r\n"
            self._fixed_lines += 1

    def of(self, request: UpstreamRequest) -> bytes:
        """Return head and body of a request.

        Raises:
            ValueError: it is for another server, or its target or a header holds what would end
                it. The text holds nothing of either.
        """
        target = request.url.removeprefix(self._origin)
        if not target.startswith("/") or " " in target:
            raise ValueError("The request's target is none of this server's.")
        headers, body = request.headers, request.body
        lines = [f"{request.method} {self._prefix}{target}{self._fixed}"]
        lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
        if body is not None or request.method not in _WITHOUT_BODY:
            lines.append(f"Content-Length: {len(body or b'')}\r\n")
        head = "".join(lines)
        ends = self._fixed_lines + len(lines) - 1
        if head.count("\n") != ends or head.count("\r") != ends or "\0" in head:
            raise ValueError("The request's target or a header holds a control character.")
        try:
            return f"{head}\r\n".encode() + (body or b"")
        except UnicodeEncodeError:
            pass
        # Raised out here: the error above holds the head, and that the credentials.
        raise ValueError("The request's target or a header holds what is no text.")


def _ascii(netloc: str) -> str:
    """Return host and port as they go over the wire: a name beyond ASCII in its IDNA form."""
    return netloc if netloc.isascii() else netloc.encode("idna").decode("ascii")


def proxy_authorization(proxy_url: str) -> str | None:
    """Return the Proxy-Authorization that a proxy's URL asks for; None if it holds no user."""
    parts = urlsplit(proxy_url)
    if parts.username is None:
        return None
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(login.encode()).decode()}"
