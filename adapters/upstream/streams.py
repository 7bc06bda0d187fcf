"""Responses whose bodies go on for minutes, such as a watch: one connection each."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, final
from urllib.parse import quote, urlencode

from typing_extensions import override
from yarl import URL

from adapters.upstream.aiohttp_engine import as_transport_error
from adapters.upstream.engine import Failure
from adapters.upstream.failures import transport_error
from adapters.upstream.lean_aiohttp import aiohttp
from adapters.upstream.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from adapters.upstream.config import UpstreamConfig
    from domain.model.errors import UpstreamError

SILENCE_SECONDS: Final = 30
"""A peer whose machine is gone is noticed after about this: TCP asks it in such silence."""

_PROBES: Final = 3
_CHUNK_BYTES: Final = 64 * 1024


@final
class HttpStream:
    """One response, while its context is open. Its repr shows the status only.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
    """

    def __init__(self, response: aiohttp.ClientResponse, config: UpstreamConfig) -> None:
        self.status = response.status
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
                async for chunk in self._response.content.iter_any():
                    yield chunk
            except aiohttp.ClientError as error:
                failure = _failure(error, self._config)
        # Raised out here: aiohttp's error holds the request, and that the credentials.
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
        """Read the certificates; opens no connection.

        Raises:
            OSError: a certificate file cannot be used.
            PluginError: a proxy in the environment cannot be used.
        """
        self._config = config
        self._tls = tls_context(config)
        self._session: aiohttp.ClientSession | None = None

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
        session = self._session = self._session or self._new_session()
        url = f"{config.base_url}{path}?{urlencode(query, quote_via=quote)}"
        failure: UpstreamError | None = None
        try:
            async with asyncio.timeout(
                config.connect_timeout_seconds + config.read_timeout_seconds
            ):
                response = await session.get(
                    URL(url, encoded=True),
                    headers={
                        "User-Agent": config.user_agent,
                        "Accept-Encoding": "identity",
                        **headers,
                    },
                    allow_redirects=False,
                    server_hostname=config.tls_server_name,
                    timeout=aiohttp.ClientTimeout(
                        total=None,
                        sock_connect=config.connect_timeout_seconds,
                        sock_read=idle_seconds,
                    ),
                )
        except aiohttp.ClientError as error:
            failure = _failure(error, config)
        except TimeoutError:
            failure = transport_error(Failure.TIMED_OUT, config)
        if failure is not None:
            raise failure
        try:
            yield HttpStream(response, config)
        finally:
            # Closed and not given back: what is left of the body never ends.
            response.close()

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _new_session(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, force_close=True, ssl=self._tls, socket_factory=_socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=_CHUNK_BYTES,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        # A watch that is sent once more by itself would not be counted.
        session._retry_connection = False  # noqa: SLF001
        return session


def _failure(error: aiohttp.ClientError, config: UpstreamConfig) -> UpstreamError:
    return transport_error(as_transport_error(error, reused=False).failure, config)


def _socket(address: tuple[object, ...]) -> socket.socket:
    """Make a socket that asks its peer in silence whether it is still there."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)  # type: ignore[arg-type]
    made.setblocking(False)  # noqa: FBT003  its own signature
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", SILENCE_SECONDS // 2),
        ("TCP_KEEPINTVL", SILENCE_SECONDS // 2 // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
