"""From a connection to HTTP clients: what is trusted, what is shown, and how long to wait."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from adapters.kubernetes.api import KubernetesApi, is_api_answer
from adapters.kubernetes.credentials import FixedToken, TokenFile
from adapters.kubernetes.tls import load_authorities, load_certificate
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.streams import HttpStreams

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.kubernetes.connection import Connection
    from adapters.kubernetes.credentials import TokenSource
    from adapters.upstream.engine import HttpEngine
    from ports.clock import Clock

MAX_BODY_BYTES = 4 * 1024 * 1024
"""A Secret takes 1.4 MB as JSON at most, and a page of a list with metadata alone about as much."""


class Certificates:
    """The TLS context of all connections; what it holds can be read again.

    New authorities are trusted beside the old ones; a new client certificate takes the old one's
    place. Connections that are open go on with what they began with.
    """

    def __init__(self, connection: Connection) -> None:
        """Read them for the first time.

        Raises:
            ValueError: they cannot be used; the text says what to check.
        """
        self._connection = connection
        self.context = ssl.create_default_context()
        if connection.authorities is not None:
            # Beside the cluster's own authority no public one has a say.
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.read()

    def read(self) -> None:
        """Read them again.

        Raises:
            ValueError: they cannot be used; what was read before stays in force.
        """
        if self._connection.authorities is not None:
            load_authorities(self.context, self._connection.authorities)
        if self._connection.certificate is not None:
            load_certificate(self.context, self._connection.certificate)


def upstream_config(
    connection: Connection,
    certificates: Certificates,
    *,
    connect_timeout_seconds: float,
    read_timeout_seconds: float,
    max_connections: int,
    user_agent: str,
) -> UpstreamConfig:
    """Return how the API server is reached. Proxies of the environment are never used.

    Raises:
        ValueError: the URL cannot be one of an API server.
    """
    return UpstreamConfig(
        name="Kubernetes",
        code="kubernetes",
        base_url=connection.url,
        url_setting="KUBERNETES_API_URL or the kubeconfig",
        ca_setting="KUBERNETES_CA_FILE or the kubeconfig's certificate-authority",
        connect_timeout_seconds=connect_timeout_seconds,
        read_timeout_seconds=read_timeout_seconds,
        max_connections=max_connections,
        max_body_bytes=MAX_BODY_BYTES,
        user_agent=user_agent,
        use_proxies=False,
        tls=certificates.context,
        tls_server_name=connection.tls_server_name,
    )


def open_api(
    connection: Connection,
    config: UpstreamConfig,
    engine: HttpEngine,
    clock: Clock,
    jitter: Callable[[], float],
) -> KubernetesApi:
    """Return the API server's client; no connection is opened yet.

    Raises:
        ValueError: the connection's token is none.
    """
    http = UpstreamHttp(config, clock, jitter, is_api_answer=is_api_answer, engine=engine)
    return KubernetesApi(http, HttpStreams(config), token_source(connection, clock), clock)


def token_source(connection: Connection, clock: Clock) -> TokenSource:
    """Return where the bearer token of a connection comes from.

    Raises:
        ValueError: the connection's token is none.
    """
    if connection.token_file is not None:
        return TokenFile(connection.token_file, clock)
    return FixedToken(connection.token)
