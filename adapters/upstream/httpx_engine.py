"""The engine on httpx."""

from __future__ import annotations

import asyncio
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, final

import httpx
from typing_extensions import override

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
from adapters.upstream.message import UpstreamResponse
from adapters.upstream.tls import certificate_files, tls_context

if TYPE_CHECKING:
    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.message import UpstreamRequest

MAX_CAUSES = 10
"""How deep to look for an error's cause: such chains can bite their own tail."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@final
class _Pool:
    """One httpx client, closed once it is retired and its last call has ended."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.calls = 0
        self.retired = False

    async def release(self) -> None:
        self.calls -= 1
        if self.retired and not self.calls:
            await self.client.aclose()


@final
class HttpxEngine(HttpEngine):
    """Reads certificates when it is built, and opens connections when they are needed."""

    def __init__(self, config: UpstreamConfig) -> None:
        """Build the client.

        Raises:
            OSError: a certificate file cannot be used.
        """
        self._config = config
        self._tls = tls_context(config)
        self._certificates = certificate_files(config, self._tls)
        self._pool = _Pool(self._client())
        self._retired: set[_Pool] = set()
        self._trust_until = 0.0

    @override
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        pool = self._pool
        pool.calls += 1
        call = _Call(self._patience())
        failure: TransportError | None = None
        try:
            response = await call.run(pool.client, request, self._config)
        except httpx.HTTPError as error:
            failure = as_transport_error(error, reused=call.reused)
        except TimeoutError:
            failure = TransportError(Failure.TIMED_OUT, "StaleConnection", reused=True)
        except UnusableBodyError as error:
            failure = TransportError(error.failure, error.failure, reused=call.reused)
        finally:
            await pool.release()
        timed_out_anew = failure is not None and failure.failure is Failure.TIMED_OUT
        if call.is_slow and not (timed_out_anew and call.reused):
            self._trust_until = asyncio.get_running_loop().time() + TRUST_SECONDS
        if failure is not None:
            if failure.may_need_certificates and self._certificates.read_again():
                self.drop_idle()
            # Raised out here: httpx's error holds the request, and that the credentials.
            raise failure
        return response

    @override
    def drop_idle(self) -> None:
        old, self._pool = self._pool, _Pool(self._client())
        old.retired = True
        old.calls += 1
        self._retired.add(old)
        closing = asyncio.create_task(old.release(), name="upstream-drop-idle")
        closing.add_done_callback(lambda _: self._retired.discard(old))

    @override
    async def aclose(self) -> None:
        for pool in (self._pool, *self._retired):
            await pool.client.aclose()

    def _patience(self) -> float | None:
        trusts = asyncio.get_running_loop().time() < self._trust_until
        return None if trusts else REUSED_PATIENCE_SECONDS

    def _client(self) -> httpx.AsyncClient:
        config = self._config
        return httpx.AsyncClient(
            verify=self._tls,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx.Timeout(
                connect=config.connect_timeout_seconds,
                read=config.read_timeout_seconds,
                write=config.read_timeout_seconds,
                pool=None,
            ),
            limits=httpx.Limits(
                max_connections=config.max_connections,
                max_keepalive_connections=config.max_connections,
                keepalive_expiry=IDLE_CONNECTION_SECONDS,
            ),
            follow_redirects=False,
            trust_env=config.use_proxies,
        )


class _Call:
    """One call, and what its connection is.

    Attributes:
        reused: the connection was used before.
        is_slow: the answer took longer than the patience with a reused connection, or would have.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._scope: asyncio.Timeout | None = None
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._loop.time()
        self.reused = True
        self.is_slow = False

    async def run(
        self, client: httpx.AsyncClient, request: UpstreamRequest, config: UpstreamConfig
    ) -> UpstreamResponse:
        extensions: dict[str, Any] = {"trace": self._trace}
        if config.tls_server_name is not None:
            extensions["sni_hostname"] = config.tls_server_name
        wire = client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            extensions=extensions,
        )
        try:
            async with asyncio.timeout(None) as self._scope:
                response = await client.send(wire, auth=None, follow_redirects=False, stream=True)
        finally:
            self.is_slow = self._loop.time() - self._sent_at >= REUSED_PATIENCE_SECONDS
        try:
            body = await _body_of(response, config.max_body_bytes)
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return UpstreamResponse(response.status_code, headers, body)

    async def _trace(self, event: str, _info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self.reused = False
        elif event == "http11.send_request_headers.started":
            self._sent_at = self._loop.time()
            if self.reused and self._patience is not None and self._scope is not None:
                self._scope.reschedule(self._sent_at + self._patience)


async def _body_of(response: httpx.Response, max_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise UnusableBodyError(Failure.UNREADABLE)
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            is_json = response.headers.get("content-type", "").startswith("application/json")
            raise UnusableBodyError(Failure.TOO_LARGE if is_json else Failure.UNREADABLE)
    return bytes(body)


def as_transport_error(error: httpx.HTTPError, *, reused: bool) -> TransportError:
    """Return what an error of httpx means, without what it holds of the request."""
    never_sent = isinstance(error, _NEVER_SENT)
    failure = Failure.UNREACHABLE
    if isinstance(error, httpx.TimeoutException):
        failure = Failure.TIMED_OUT
    cause: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if isinstance(cause, ssl.SSLCertVerificationError):
            failure = Failure.UNTRUSTED
        elif isinstance(cause, OSError) and cause.errno in OUT_OF_DESCRIPTORS:
            failure = Failure.NO_DESCRIPTORS
        cause = cause and (cause.__cause__ or cause.__context__)
    reused = reused and not never_sent
    return TransportError(failure, type(error).__name__, never_sent=never_sent, reused=reused)
