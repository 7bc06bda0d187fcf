"""From a connection to an HTTP client: what is trusted, what is shown, and how long to wait."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import structlog
from typing_extensions import override

from adapters.kubernetes.api import KubernetesApi, is_api_answer
from adapters.kubernetes.connection import load_authorities, load_certificate
from adapters.kubernetes.credentials import REREAD_SECONDS, FixedToken, TokenFile, TokenSource
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.streams import HttpStreams

if TYPE_CHECKING:
    from adapters.kubernetes.connection import Connection
    from adapters.kubernetes.settings import KubernetesSettings
    from ports.clock import Clock
    from ports.store_plugin import StoreContext

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""A Secret takes 1.4 MB as JSON at most, and a page of a list with metadata alone about as much."""

_log = structlog.get_logger()


class Certificates:
    """The TLS context of all connections; what it holds can be read again.

    New authorities are trusted beside the old ones; a new client certificate takes the old one's
    place. Connections that are open go on with what they began with.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Read them for the first time.

        Raises:
            ValueError: they cannot be used; the text says what to check.
        """
        self._connection = connection
        self._clock = clock
        self._read_at = clock.monotonic()
        if connection.authorities is None:
            self.context = ssl.create_default_context()
        else:
            # Beside the cluster's own authority no public one has a say.
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._read()

    def read_again(self, *, at_once: bool = False) -> None:
        """Read them again; what cannot be used changes nothing. `at_once`: even if they were read
        only a moment ago.
        """
        now = self._clock.monotonic()
        if now - self._read_at < REREAD_SECONDS and not at_once:
            return
        self._read_at = now
        try:
            self._read()
        except ValueError as error:
            _log.warning("kubernetes.certificates_unreadable", advice=str(error))

    def _read(self) -> None:
        if self._connection.authorities is not None:
            load_authorities(self.context, self._connection.authorities)
        if self._connection.certificate is not None:
            load_certificate(self.context, self._connection.certificate)


class CertificateLogin(TokenSource):
    """Authenticates by the client certificate: calls carry no token."""

    def __init__(self, certificates: Certificates, http: UpstreamHttp) -> None:
        self._certificates = certificates
        self._http = http

    @override
    async def current(self) -> None:
        return None

    @override
    def refused(self) -> bool:
        # Only a new handshake shows a new certificate.
        self._certificates.read_again()
        self._http.drop_idle()
        return True


def open_api(
    connection: Connection, settings: KubernetesSettings, context: StoreContext
) -> KubernetesApi:
    """Return the client of an API server; no connection is opened yet.

    Proxies of the environment are never used.

    Raises:
        ValueError: URL, certificates or token cannot be used; the text says what to check.
    """
    clock = context.clock
    certificates = Certificates(connection, clock)
    config = UpstreamConfig(
        name="Kubernetes",
        code="kubernetes",
        base_url=connection.url,
        url_setting="KUBERNETES_API_URL or the kubeconfig",
        ca_setting="KUBERNETES_CA_FILE or the kubeconfig's certificate-authority",
        certificate_setting="KUBERNETES_CLIENT_CERT_FILE or the kubeconfig's client-certificate",
        connect_timeout_seconds=settings.connect_timeout_seconds,
        read_timeout_seconds=settings.read_timeout_seconds,
        max_connections=settings.max_connections,
        max_body_bytes=MAX_BODY_BYTES,
        user_agent=context.user_agent,
        use_proxies=False,
        tls=certificates.context,
        tls_server_name=connection.tls_server_name,
    )
    http = UpstreamHttp(config, clock, context.jitter, is_api_answer=is_api_answer)
    tokens = _tokens(connection, certificates, http, clock)
    return KubernetesApi(http, HttpStreams(config), tokens, clock, certificates.read_again)


def _tokens(
    connection: Connection, certificates: Certificates, http: UpstreamHttp, clock: Clock
) -> TokenSource:
    if connection.token_file is not None:
        return TokenFile(connection.token_file, clock)
    if connection.token is not None:
        return FixedToken(connection.token)
    return CertificateLogin(certificates, http)
