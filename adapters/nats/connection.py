"""The service's one connection to NATS: opened within bounded time, then kept for good."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Self

import structlog

from adapters.nats.client import ResilientClient
from adapters.nats.connect_errors import (
    NatsConnectError,
    NatsRefusedError,
    connect_error,
    failure_reason,
)
from adapters.nats.credentials import CredentialsUnusableError, login_options
from adapters.nats.server_pool import AllServersFailedError
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import own_inbox
from adapters.system.cancelling import cancel
from adapters.system.certificate_files import CertificateFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from adapters.nats.settings import NatsLoginSettings
    from ports.clock import Clock

_log = structlog.get_logger()

_PING_SECONDS = 4
"""The third tick with two unanswered pings ends a connection, so a path that swallows everything is
given up within 12 s; nats-py's own two minutes leave hosts waiting for six."""

_KEPT_BYTES = 16 * 1024 * 1024
"""Answers kept while no server is there; nats-py's own 2 MiB would hold those of a quarter of the
requests that may be in flight."""

_CLOSE_SECONDS = 5.0


class NatsConnection:
    """A connection that reconnects endlessly once it has been opened.

    Args:
        name: what the server's monitoring shows.
        reconnect_wait: seconds between two attempts to reach the same server again.
        connect_timeout: seconds for each step of a connect.
        serves: whether this is a service's own, whose inboxes lie where no request is answered.

    Attributes:
        leave: what is done when the server says that it is going to stop.
        why_hung_up_on: what may have made the server end the connection, as advice for the log.
        client: exists from the start, so that others can be built around it; usable while open.
        refusal: why the latest try to connect failed, as far as that is certain; None if connected.
        measures: whether to find out what the login may publish where nothing names its limit.
    """

    measures = True

    def __init__(
        self,
        settings: NatsLoginSettings,
        clock: Clock,
        *,
        name: str = "wasmcloud-secrets",
        reconnect_wait: float = 1.0,
        connect_timeout: float = 5.0,
        serves: bool = False,
    ) -> None:
        self.client = ResilientClient()
        if isinstance(settings, NatsSettings):
            self.client.jetstream_prefix = settings.jetstream_prefix
        self._settings = settings
        prefix = settings.inbox_prefix
        self._inbox_prefix = own_inbox(prefix) if serves else prefix
        self._clock = clock
        self._options: dict[str, Any] = {
            "name": name,
            "reconnect_time_wait": reconnect_wait,
            "connect_timeout": connect_timeout,
        }
        self._failures: list[Exception] | None = None
        self._certificates: CertificateFiles | None = None
        self._closing = False
        self.refusal: str | None = None
        self.leave: Callable[[], Coroutine[None, None, None]] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self.why_hung_up_on: Callable[[], str | None] = lambda: None

    @property
    def is_connected(self) -> bool:
        """Whether a server is there right now."""
        return self.client.is_connected

    async def __aenter__(self) -> Self:
        """Open it; see `open`."""
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self, servers: Sequence[str] = ()) -> None:
        """Connect, trying each server. After a failure it may be called again. `servers`: in the
        place of the configured ones.

        Raises:
            NatsConnectError: no server took this client; the text says what to check.
        """
        settings = self._settings
        self._closing = False
        failures = self._failures = []
        connected = False
        try:
            login = await asyncio.to_thread(login_options, settings)
            tls = await asyncio.to_thread(_tls_context, settings)
            if tls is not None:
                self._certificates = _certificate_files(settings, tls)
            self.client.insists_on_tls = settings.insists_on_tls
            await self.client.connect_once(
                servers=[*servers] or [str(address) for address in settings.addresses],
                **self._options,
                ping_interval=_PING_SECONDS,
                pending_size=_KEPT_BYTES,
                inbox_prefix=self._inbox_prefix,
                tls=tls,
                tls_handshake_first=settings.tls_first,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnected,
                reconnected_cb=self._on_reconnected,
                lame_duck_mode_cb=self._on_lame_duck,
                **login,
            )
            connected = True
        except AllServersFailedError:
            pass
        except CredentialsUnusableError as error:
            failures.append(error)
        finally:
            self._failures = None
        if not connected:
            failure = connect_error(settings.addresses, failures)
            self.refusal = str(failure)
            raise failure
        self.refusal = None
        if self.measures:
            _log.info("nats.connected", server=self._server())
            await self._measure()

    async def close(self) -> None:
        """Send what is buffered and close, within 5 s. Calling it again does nothing."""
        self._closing = True
        await cancel({task for task in (self._leaving, self._measuring) if task is not None})
        if self.client.is_closed or not self.client.servers:
            return
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + _CLOSE_SECONDS):
                await self.client.close()
        except (OSError, TimeoutError) as error:
            _log.warning("nats.close_failed", reason=failure_reason(error))

    def _server(self) -> str:
        # Only what the settings name or the cluster announced: free of credentials.
        url = self.client.connected_url
        return url.netloc if url is not None else ""

    async def _on_error(self, error: Exception) -> None:
        if self._failures is not None:
            self._failures.append(error)
        elif "permissions violation" in str(error).lower():
            _log.error("nats.permission_denied", denied=self.client.denied)
        elif not self._closing:
            if self._certificates is not None:
                self._certificates.read_again()
            reason = failure_reason(error)
            _log.warning("nats.error", reason=reason, error=type(error).__name__)
            if not self.is_connected:
                # An error that says less may be of the connection that was lost.
                failure = connect_error(self._settings.addresses, [error])
                self.refusal = str(failure) if isinstance(failure, NatsRefusedError) else None

    async def _on_disconnected(self) -> None:
        if not self._closing:
            advice = self.why_hung_up_on()
            _log.warning("nats.disconnected", **({} if advice is None else {"advice": advice}))

    async def _on_reconnected(self) -> None:
        self.refusal = None
        _log.info("nats.reconnected", server=self._server())
        if self._measuring is None or self._measuring.done():
            self._measuring = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        if not self.measures or not self.client.must_measure_limit:
            return
        from adapters.nats.measuring import ProbeConnection, measure  # noqa: PLC0415  it needs this

        name = f"{self._options['name']} (measuring)"
        settings, clock = self._settings, self._clock
        await measure(self, lambda: ProbeConnection(settings, clock, name=name, reconnect_wait=1.0))

    async def _on_lame_duck(self) -> None:
        _log.warning("nats.server_lame_duck", server=self._server())
        if self.leave is not None and (self._leaving is None or self._leaving.done()):
            self._leaving = asyncio.create_task(self.leave())


def _tls_context(settings: NatsLoginSettings) -> ssl.SSLContext | None:
    """Read the TLS files.

    Raises:
        NatsConnectError: one of them cannot be used.
    """
    if not settings.insists_on_tls:
        return None
    unusable = "the CA file", settings.tls_ca_file
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
        if settings.tls_cert_file is not None:
            unusable = "the client's certificate or key file", settings.tls_cert_file
            context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file)
    except (OSError, ValueError):
        context = None
    if context is None:
        what, path = unusable
        shown = ", ".join(str(address) for address in settings.addresses)
        raise NatsConnectError(
            f"Failed to connect to NATS at {shown}: {what} cannot be used. Check that {path} is "
            "readable PEM, that the key belongs to the certificate and has no passphrase.",
            reason="tls_files",
        )
    return context


def _certificate_files(settings: NatsLoginSettings, tls: ssl.SSLContext) -> CertificateFiles:
    """Return the files that the context was made of."""
    shown = settings.tls_cert_file
    certificate = None if shown is None else (shown, settings.tls_key_file)
    return CertificateFiles(tls, settings.tls_ca_file, certificate)
