"""Responses whose bodies go on for minutes, such as a watch: one connection each."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar, final
from urllib.parse import quote, urlencode

from typing_extensions import override

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.failures import transport_error
from adapters.upstream.http1.dialing import Dialer
from adapters.upstream.http1.request_bytes import RequestBytes
from adapters.upstream.http1.responses import is_packed
from adapters.upstream.http1.streamed_response import StreamedResponse
from adapters.upstream.message import UpstreamRequest
from adapters.upstream.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.http1.connection import HttpConnection
    from domain.model.errors import UpstreamError

_Opened = TypeVar("_Opened")


@final
class HttpStream:
    """One response, while its context is open. Its repr shows the status only.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
    """

    def __init__(
        self, response: StreamedResponse, config: UpstreamConfig, idle_seconds: float
    ) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._config = config
        self._idle_seconds = idle_seconds

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
        if is_packed(self.headers):
            failure = transport_error(Failure.UNREADABLE, self._config)
        else:
            try:
                while piece := await self._response.piece(self._idle_seconds):
                    yield piece
            except TransportError as error:
                failure = transport_error(error.failure, self._config)
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
        self._bytes = RequestBytes(config.base_url)
        self._dialer = Dialer(config, tls_context(config), None)
        self._open: set[HttpConnection] = set()

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
        url = f"{self._config.base_url}{path}?{urlencode(query, quote_via=quote)}"
        fixed = {"User-Agent": self._config.user_agent, "Accept-Encoding": "identity"}
        data = self._bytes.of(UpstreamRequest("GET", url, {**fixed, **headers}))
        patience = self._config.read_timeout_seconds
        # A lookup of the host's name counts as well, and may hang.
        connection = await self._within(
            self._config.connect_timeout_seconds + patience, self._dialer.open()
        )
        self._open.add(connection)
        try:
            response = StreamedResponse(connection)
            # Between the pieces of a body the server may be silent, but a head comes at once.
            connection.start(data, response, patience, math.inf)
            await self._within(patience, response.head())
            yield HttpStream(response, self._config, idle_seconds)
        finally:
            # Closed and not used again: what is left of the body never ends.
            self._open.discard(connection)
            connection.end()
            connection.abort()

    async def aclose(self) -> None:
        """Close all connections."""
        self._dialer.close()
        for connection in self._open:
            connection.abort()
        await asyncio.sleep(0)

    async def _within(self, seconds: float, opening: Coroutine[None, None, _Opened]) -> _Opened:
        """Wait for a part of the opening; typed errors take the place of its failures."""
        failure: UpstreamError
        try:
            async with asyncio.timeout(seconds):
                return await opening
        except TransportError as error:
            failure = transport_error(error.failure, self._config)
        except TimeoutError:
            failure = transport_error(Failure.TIMED_OUT, self._config)
        raise failure
