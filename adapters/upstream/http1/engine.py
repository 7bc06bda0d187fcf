"""The engine over asyncio's own sockets: a fifth of the CPU of aiohttp for each call (ADR 133)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.system.certificate_files import CertificateFiles
from adapters.upstream.engine import (
    REUSED_PATIENCE_SECONDS,
    TRUST_SECONDS,
    Failure,
    HttpEngine,
    TransportError,
)
from adapters.upstream.http1.dialing import Dialer
from adapters.upstream.http1.pool import ConnectionPool
from adapters.upstream.http1.request_bytes import RequestBytes
from adapters.upstream.http1.responses import WholeResponse
from adapters.upstream.tls import tls_context

if TYPE_CHECKING:
    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.http1.connection import HttpConnection
    from adapters.upstream.message import UpstreamRequest, UpstreamResponse


@final
class Http1Engine(HttpEngine):
    """Reads certificates when it is built, and opens connections when they are needed."""

    def __init__(self, config: UpstreamConfig) -> None:
        """Read the certificates.

        Raises:
            PluginError: a proxy in the environment cannot be used.
            OSError: a certificate file cannot be used.
        """
        self._config = config
        tls = tls_context(config)
        # What a store has made by itself, it reads again by itself.
        files = (config.ca_file, config.client_certificate) if config.tls is None else (None, None)
        self._certificates = CertificateFiles(tls, *files)
        proxy = config.proxy()
        whole_urls = proxy is not None and config.base_url.startswith("http:")
        self._bytes = RequestBytes(
            config.base_url, proxy.url if proxy is not None and whole_urls else None
        )
        self._pool = ConnectionPool(Dialer(config, tls, proxy), config.max_connections)
        self._trust_until = 0.0

    @override
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        data = self._bytes.of(request)
        try:
            connection = await self._pool.take()
        except TransportError as error:
            failure = error
        else:
            outcome = await self._exchange(connection, request.method, data)
            if not isinstance(outcome, TransportError):
                return outcome
            failure = outcome
        if failure.may_need_certificates and self._certificates.read_again():
            self.drop_idle()
        # Raised out here, so that no error has another one as its context.
        raise failure

    @override
    def drop_idle(self) -> None:
        self._pool.drop_idle()

    @override
    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _exchange(
        self, connection: HttpConnection, method: str, data: bytes
    ) -> UpstreamResponse | TransportError:
        """Send a request on a connection, and give that back."""
        loop = asyncio.get_running_loop()
        began, reused = loop.time(), connection.reused
        first = patience = self._config.read_timeout_seconds
        if reused and began >= self._trust_until:
            first = min(patience, REUSED_PATIENCE_SECONDS)
        outcome: asyncio.Future[UpstreamResponse] = loop.create_future()
        reader = WholeResponse(method, self._config.max_body_bytes, outcome)
        connection.start(data, reader, first, patience)
        failure: TransportError | None = None
        try:
            response = await outcome
        except TransportError as error:
            failure = TransportError(error.failure, error.kind, reused=reused)
        finally:
            connection.end()
            self._pool.give_back(connection, usable=reader.keep_alive)
        is_dead = failure is not None and failure.failure is Failure.TIMED_OUT and reused
        if loop.time() - began >= REUSED_PATIENCE_SECONDS and not is_dead:
            # It is the server that is slow, not a connection that is dead.
            self._trust_until = loop.time() + TRUST_SECONDS
        return response if failure is None else failure
