"""Responses whose bodies go on for minutes, such as a watch: one connection each."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, final
from urllib.parse import quote, urlencode

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.failures import transport_error
from adapters.upstream.http1.dialing import Dialer
from adapters.upstream.http1.request_bytes import RequestBytes
from adapters.upstream.http1.streamed_response import StreamedResponse
from adapters.upstream.message import UpstreamRequest
from adapters.upstream.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.http1.connection import HttpConnection


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
    ) -> AsyncIterator[StreamedResponse]:
        """Send a GET, and give its response once the headers have come.

        Args:
            path: follows the base URL; begins with "/", percent-encoded.
            headers: beside User-Agent.
            query: is encoded and appended.

        Raises:
            StoreUnavailable: no connection, no headers in time, or a body that broke off.
            UpstreamError: waiting does not help, as with a certificate that is not trusted.
        """
        url = f"{self._config.base_url}{path}?{urlencode(query, quote_via=quote)}"
        fixed = {"User-Agent": self._config.user_agent, "Accept-Encoding": "identity"}
        data = self._bytes.of(UpstreamRequest("GET", url, {**fixed, **headers}))
        patience = self._config.read_timeout_seconds
        failure: Failure
        try:
            # A lookup of the host's name counts as well, and may hang.
            async with asyncio.timeout(self._config.connect_timeout_seconds + patience):
                connection = await self._dialer.open()
            self._open.add(connection)
            try:
                response = StreamedResponse(connection)
                # Between the pieces of a body the server may be silent, but a head comes at once.
                connection.start(data, response, patience, math.inf)
                async with asyncio.timeout(patience):
                    await response.head()
                yield response
            finally:
                # Closed and not used again: what is left of the body never ends.
                self._open.discard(connection)
                connection.end()
                connection.abort()
        except TransportError as error:
            failure = error.failure
        except TimeoutError:
            failure = Failure.TIMED_OUT
        else:
            return
        raise transport_error(failure, self._config)

    async def aclose(self) -> None:
        """Close all connections."""
        self._dialer.close()
        for connection in self._open:
            connection.abort()
        await asyncio.sleep(0)
