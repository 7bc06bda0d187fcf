"""How a store is reached over HTTP."""

from __future__ import annotations

import math
import os
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.upstream.proxy import Proxy, proxy_for
from domain.model.opaque import opaque

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

MAX_BODY_BYTES = 2 * 1024 * 1024


@opaque
class UpstreamConfig:
    """What `UpstreamHttp` needs to know of one store.

    Attributes:
        name: the store's name in advice, such as "Infisical".
        code: begins all `reason` codes and log events, such as "infisical".
        base_url: scheme, authority and perhaps a path, without a slash at the end.
        url_setting: the setting that holds the address, for advice.
        ca_setting: the setting that names certificate authorities, for advice.
        ca_file: the only certificate authorities to trust, as PEM; None means the usual ones.
        client_certificate: the files of a client certificate and its key, as PEM.
        tls_server_name: the name that the server's certificate must have; None means the host's.
        connect_timeout_seconds: for reaching the server, at each attempt.
        read_timeout_seconds: for each wait for further bytes, at each attempt.
        max_connections: open connections at most; with two or more, one is left to logins.
        max_body_bytes: a larger answer is refused.
        user_agent: sent with every request, such as "wasmcloud-secrets/1.2.3".
        use_proxies: whether the environment's proxy settings apply.
        certificate_setting: the settings of the client certificate, for advice.
        tls: what the store has made of its certificates by itself, in place of `ca_file` and
            `client_certificate`.

    Redirects are never followed, and cookies never kept.

    Raises:
        ValueError: a value is outside its range; the text says which.
    """

    name: str
    code: str
    base_url: str
    url_setting: str
    ca_setting: str
    ca_file: Path | None = None
    client_certificate: tuple[Path, Path] | None = None
    tls_server_name: str | None = None
    connect_timeout_seconds: float = 3.0
    read_timeout_seconds: float = 5.0
    max_connections: int = 20
    max_body_bytes: int = MAX_BODY_BYTES
    user_agent: str = "wasmcloud-secrets"
    use_proxies: bool = True
    certificate_setting: str = "any proxy before it"
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or self.base_url[-1] == "/":
            raise ValueError("The base URL must be absolute, without a slash at the end.")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("The base URL must hold no user, query or fragment.")
        if self.max_connections < 1 or self.max_body_bytes < 1:
            raise ValueError("Connections and body bytes must be 1 or more.")
        for seconds in (self.connect_timeout_seconds, self.read_timeout_seconds):
            if not 0 < seconds < math.inf:
                raise ValueError("The time-outs must be more than 0 seconds.")

    @property
    def read_connections(self) -> int:
        """Connections that reads may use at a time; one is left to logins."""
        return max(1, self.max_connections - 1)

    def proxy(self) -> Proxy | None:
        """Return the proxy that the environment names for the store; None for none.

        Raises:
            PluginError: a variable that names one cannot be used.
        """
        return proxy_for(self.base_url, os.environ) if self.use_proxies else None
