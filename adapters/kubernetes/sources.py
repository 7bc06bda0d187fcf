"""From settings to a connection: an address that is set, a kubeconfig, or the pod's own."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.kubernetes.connection import SERVICE_ACCOUNT, Connection, in_cluster
from adapters.kubernetes.kubeconfig import read_kubeconfig
from adapters.kubernetes.tls import ClientCertificate, Pem

if TYPE_CHECKING:
    from adapters.kubernetes.settings import KubernetesSettings


def connection_of(
    settings: KubernetesSettings, service_account: Path = SERVICE_ACCOUNT
) -> Connection:
    """Return where the API server is and who asks. `service_account`: where a pod's token, CA and
    namespace are mounted.

    Raises:
        ValueError: it cannot be used; the text says which file or setting to change.
    """
    connection = _connection(settings, service_account)
    parts = urlsplit(connection.url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_local(parts.hostname or "")):
        return connection
    raise ValueError(
        "The Kubernetes API server must be reached by https://; with http:// every secret and the "
        "token could be read on the way."
    )


def _connection(settings: KubernetesSettings, service_account: Path) -> Connection:
    if settings.kubeconfig is not None:
        paths = [Path(path) for path in settings.kubeconfig.split(":") if path]
        return read_kubeconfig(paths, settings.context)
    authorities = None if settings.ca_file is None else Pem(settings.ca_file)
    if settings.api_url is not None:
        return Connection(
            url=settings.api_url,
            authorities=authorities,
            token_file=settings.token_file,
            certificate=_certificate(settings),
            tls_server_name=settings.tls_server_name,
        )
    host, port = settings.service_host or "", settings.service_port or "443"
    found = in_cluster(host, port, service_account, needs_token=settings.token_file is None)
    return replace(
        found,
        authorities=authorities or found.authorities,
        token_file=settings.token_file or found.token_file,
    )


def _certificate(settings: KubernetesSettings) -> ClientCertificate | None:
    if settings.client_cert_file is None or settings.client_key_file is None:
        return None
    return ClientCertificate(Pem(settings.client_cert_file), Pem(settings.client_key_file))


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
