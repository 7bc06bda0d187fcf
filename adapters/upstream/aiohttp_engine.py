"""The engine on aiohttp: a tenth of the CPU of httpx for each call (see ADR 47)."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, final

from typing_extensions import override
from yarl import URL

from adapters.upstream.engine import (
    IDLE_CONNECTION_SECONDS,
    OUT_OF_DESCRIPTORS,
    REUSED_PATIENCE_SECONDS,
    TRUST_SECONDS,
    Failure,
    HttpEngine,
    TransportError,
    UnusableBodyError,
)
from adapters.upstream.lean_aiohttp import aiohttp
from adapters.upstream.message import UpstreamResponse
from adapters.upstream.tls import certificate_files, tls_context

if TYPE_CHECKING:
    from types import SimpleNamespace

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.message import UpstreamRequest

_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
)
_UNTRUSTED = (aiohttp.ClientConnectorCertificateError,)


@final
class _Pool:
    """One aiohttp session, closed once it is retired and its last call has ended."""

    def __init__(self, session: aiohttp.ClientSession, connector: aiohttp.TCPConnector) -> None:
        self.session = session
        self.connector = connector
        self.calls = 0
        self.retired = False

    async def release(self) -> None:
        self.calls -= 1
        if self.retired and not self.calls:
            await self.session.close()


@final
class _Call:
    """One call, and what its connection is.

    Attributes:
        reused: the connection was used before.
        sent_at: when it was taken into use, in the event loop's time.
    """

    __slots__ = ("patience", "reused", "scope", "sent_at")

    def __init__(self, patience: float | None, now: float) -> None:
        self.patience = patience
        self.reused = False
        self.sent_at = now
        self.scope: asyncio.Timeout | None = None


@final
class AiohttpEngine(HttpEngine):
    """Reads certificates when it is built, and opens connections when they are needed."""

    def __init__(self, config: UpstreamConfig) -> None:
        """Read the certificates.

        Raises:
            PluginError: a proxy in the environment cannot be used.
            OSError: a certificate file cannot be used.
        """
        self._config = config
        self._tls = tls_context(config)
        self._certificates = certificate_files(config, self._tls)
        proxy = config.proxy()
        self._proxy = None if proxy is None else URL(proxy.url)
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            connect=None,
            sock_connect=config.connect_timeout_seconds,
            sock_read=config.read_timeout_seconds,
        )
        self._current: _Pool | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self._trust_until = 0.0

    @override
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        pool = self._current = self._current or self._pool()
        pool.calls += 1
        loop = asyncio.get_running_loop()
        now = loop.time()
        call = _Call(REUSED_PATIENCE_SECONDS if now >= self._trust_until else None, now)
        failure: TransportError | None = None
        try:
            response = await self._run(pool.session, request, call)
        except aiohttp.ClientError as error:
            failure = as_transport_error(error, reused=call.reused)
            if failure.never_sent:
                # The name may lead elsewhere by now; aiohttp keeps addresses for 10 seconds.
                pool.connector.clear_dns_cache()
        except TimeoutError:
            failure = TransportError(Failure.TIMED_OUT, "StaleConnection", reused=True)
        except UnusableBodyError as error:
            failure = TransportError(error.failure, error.failure, reused=call.reused)
        finally:
            await pool.release()
        timed_out_on_reused = (
            failure is not None and failure.failure is Failure.TIMED_OUT and call.reused
        )
        if loop.time() - call.sent_at >= REUSED_PATIENCE_SECONDS and not timed_out_on_reused:
            # It is the server that is slow, not a connection that is dead.
            self._trust_until = loop.time() + TRUST_SECONDS
        if failure is not None:
            if failure.may_need_certificates and self._certificates.read_again():
                self.drop_idle()
            # Raised out here: aiohttp's error holds the request, and that the credentials.
            raise failure
        return response

    @override
    def drop_idle(self) -> None:
        old, self._current = self._current, None
        if old is None:
            return
        old.retired = True
        old.calls += 1
        task = asyncio.create_task(old.release(), name="upstream-drop-idle")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    @override
    async def aclose(self) -> None:
        if self._current is not None:
            await self._current.session.close()
        if self._retired:
            await asyncio.wait(set(self._retired))

    async def _run(
        self, session: aiohttp.ClientSession, request: UpstreamRequest, call: _Call
    ) -> UpstreamResponse:
        async with asyncio.timeout(None) as call.scope:
            response = await session.request(
                request.method,
                _url(request.url),
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                proxy=self._proxy,
                server_hostname=self._config.tls_server_name,
                trace_request_ctx=call,
            )
        async with response:
            body = await _body_of(response, self._config.max_body_bytes)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return UpstreamResponse(response.status, headers, body)

    def _pool(self) -> _Pool:
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(_reused)
        tracing.on_connection_create_start.append(_created)
        connector = aiohttp.TCPConnector(
            limit=self._config.max_connections,
            keepalive_timeout=IDLE_CONNECTION_SECONDS,
            ssl=self._tls,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            # Proxies are chosen above; this would also take credentials out of a netrc file.
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            trace_configs=[tracing],
        )
        # It would send a request once more by itself, which no rate limit would count.
        session._retry_connection = False  # noqa: SLF001
        return _Pool(session, connector)


async def _reused(_session: object, context: SimpleNamespace, _params: object) -> None:
    call: _Call = context.trace_request_ctx
    loop = asyncio.get_running_loop()
    call.reused = True
    call.sent_at = loop.time()
    if call.patience is not None and call.scope is not None:
        call.scope.reschedule(call.sent_at + call.patience)


async def _created(_session: object, context: SimpleNamespace, _params: object) -> None:
    call: _Call = context.trace_request_ctx
    call.reused = False
    if call.scope is not None:
        call.scope.reschedule(None)


async def _body_of(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise UnusableBodyError(Failure.UNREADABLE)
    length = response.content_length
    if length is not None and length <= max_bytes:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            is_json = response.content_type == "application/json"
            raise UnusableBodyError(Failure.TOO_LARGE if is_json else Failure.UNREADABLE)
    return bytes(body)


def as_transport_error(error: aiohttp.ClientError, *, reused: bool) -> TransportError:
    """Return what an error of aiohttp means, without what it holds of the request."""
    never_sent = isinstance(error, _NEVER_SENT)
    failure = Failure.UNREACHABLE
    if isinstance(error, _UNTRUSTED):
        failure = Failure.UNTRUSTED
    elif isinstance(error, OSError) and error.errno in OUT_OF_DESCRIPTORS:
        failure = Failure.NO_DESCRIPTORS
    elif isinstance(error, aiohttp.ServerTimeoutError):
        failure = Failure.TIMED_OUT
    reused = reused and not never_sent
    return TransportError(failure, type(error).__name__, never_sent=never_sent, reused=reused)


# The same few secrets are read again and again.
@lru_cache(maxsize=1024)
def _url(url: str) -> URL:
    return URL(url, encoded=True)
