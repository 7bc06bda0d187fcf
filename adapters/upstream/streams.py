"""Responses whose bodies go on for minutes, such as a watch: one connection each."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, final
from urllib.parse import quote, urlencode

import httpx
from typing_extensions import override

from adapters.upstream.engine import Failure
from adapters.upstream.failures import transport_error
from adapters.upstream.httpx_engine import as_transport_error
from adapters.upstream.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from adapters.upstream.config import UpstreamConfig
    from domain.model.errors import UpstreamError

SILENCE_SECONDS: Final = 30
"""A peer whose machine is gone is noticed after about this: TCP asks it in such silence."""

_PROBES: Final = 3


@final
class HttpStream:
    """One response, while its context is open. Its repr shows the status only.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
    """

    def __init__(self, response: httpx.Response, config: UpstreamConfig) -> None:
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._config = config

    @override
    def __repr__(self) -> str:
        return f"HttpStream({self.status})"

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the pieces of the body as they come; ends only with the body's proper end.

        Raises:
            StoreUnavailable: the connection broke, or was silent for too long.
            UpstreamError: the body is compressed, though none was asked for.
        """
        failure: UpstreamError | None = None
        if self.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
            failure = transport_error(Failure.UNREADABLE, self._config)
        else:
            try:
                async for chunk in self._response.aiter_raw():
                    yield chunk
            except httpx.HTTPError as error:
                failure = _failure(error, self._config)
        # Raised out here: httpx's error holds the request, and that the credentials.
        if failure is not None:
            raise failure

    async def read(self, max_bytes: int) -> bytes:
        """Return the body of a refusal, cut off after so many bytes.

        Raises:
            StoreUnavailable, UpstreamError: as `chunks` does.
        """
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) >= max_bytes:
                break
        return bytes(body[:max_bytes])


@final
class HttpStreams:
    """Opens GET requests without an end. They count as no call: neither slots nor limits apply.

    Proxies of the environment are not used.
    """

    def __init__(self, config: UpstreamConfig) -> None:
        """Build the client; opens no connection.

        Raises:
            OSError: a certificate file cannot be used.
        """
        self._config = config
        transport = httpx.AsyncHTTPTransport(
            verify=tls_context(config),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            socket_options=list(_keep_alive()),
        )
        self._client = httpx.AsyncClient(
            transport=transport,
            headers={"User-Agent": config.user_agent, "Accept-Encoding": "identity"},
            follow_redirects=False,
        )

    @asynccontextmanager
    async def open(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        idle_seconds: float,
    ) -> AsyncIterator[HttpStream]:
        """Send a GET, and give its response once the headers have come.

        Args:
            path: follows the base URL; begins with "/", percent-encoded.
            headers: beside User-Agent.
            query: is encoded and appended.
            idle_seconds: how long the body may be silent.

        Raises:
            StoreUnavailable: no connection, or no headers in time.
            UpstreamError: waiting does not help, as with a certificate that is not trusted.
        """
        config = self._config
        url = f"{config.base_url}{path}?{urlencode(query, quote_via=quote)}"
        extensions: dict[str, Any] = {}
        if config.tls_server_name is not None:
            extensions["sni_hostname"] = config.tls_server_name
        request = self._client.build_request(
            "GET",
            url,
            headers=headers,
            timeout=httpx.Timeout(idle_seconds, connect=config.connect_timeout_seconds, pool=None),
            extensions=extensions,
        )
        failure: UpstreamError | None = None
        try:
            async with asyncio.timeout(
                config.connect_timeout_seconds + config.read_timeout_seconds
            ):
                response = await self._client.send(request, auth=None, stream=True)
        except httpx.HTTPError as error:
            failure = _failure(error, config)
        except TimeoutError:
            failure = transport_error(Failure.TIMED_OUT, config)
        if failure is not None:
            raise failure
        try:
            yield HttpStream(response, config)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _failure(error: httpx.HTTPError, config: UpstreamConfig) -> UpstreamError:
    return transport_error(as_transport_error(error, reused=False).failure, config)


def _keep_alive() -> Iterable[tuple[int, int, int]]:
    yield (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", SILENCE_SECONDS // 2),
        ("TCP_KEEPINTVL", SILENCE_SECONDS // 2 // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            yield (socket.IPPROTO_TCP, option, value)
