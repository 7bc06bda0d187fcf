"""From settings to a connection: an address that is set, a kubeconfig, or the pod's own.

Of a kubeconfig, server, trust and credentials are read; what it could run or weaken is refused.
Several files are merged as kubectl does: the first word on each name wins, and relative paths count
from the file they stand in.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.kubernetes.connection import (
    SERVICE_ACCOUNT,
    ClientCertificate,
    Connection,
    Pem,
    in_cluster,
)
from adapters.system.files import read_file
from adapters.system.setting_types import is_one_line, is_server_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.kubernetes.settings import KubernetesSettings

MAX_BYTES: Final = 1024 * 1024

_REFUSED_USER: Final = {
    "exec": "runs a program for its credentials",
    "auth-provider": "uses an auth provider, which Kubernetes has dropped",
    "username": "uses a user name and a password, which Kubernetes has dropped",
    "as": "impersonates a user",
    "as-uid": "impersonates a user",
    "as-groups": "impersonates a user",
    "as-user-extra": "impersonates a user",
}
_REFUSED_CLUSTER: Final = {
    "insecure-skip-tls-verify": "switches the check of the server's certificate off",
    "proxy-url": "names a proxy",
}


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


def read_kubeconfig(paths: Sequence[Path], context: str | None = None) -> Connection:
    """Return the connection that a context means.

    Args:
        paths: the files, the first word on each name wins.
        context: its name; None for the current context.

    Raises:
        ValueError: a file cannot be read, a name leads nowhere, or an entry is one that this
            service does not follow. The text names the entry and never its credentials.
    """
    documents = [(path.parent, _document(path)) for path in paths]
    if context is None:
        names = [document.get("current-context") for _, document in documents]
        context = next((name for name in names if isinstance(name, str) and name), None)
    if context is None:
        raise ValueError("The kubeconfig has no current-context; set KUBERNETES_CONTEXT.")
    _, chosen = _find(documents, "contexts", "context", context)
    cluster_folder, cluster = _find(documents, "clusters", "cluster", _text(chosen, "cluster"))
    user_folder, user = _find(documents, "users", "user", _text(chosen, "user"))
    _refuse(user, _REFUSED_USER, "user")
    _refuse(cluster, _REFUSED_CLUSTER, "cluster")
    token_file = _path(user, "tokenFile", user_folder)
    token = None if token_file else _optional(user, "token")
    if token is not None and not is_one_line(token):
        raise ValueError("The kubeconfig's token holds a line end or a control character.")
    server_name = _optional(cluster, "tls-server-name")
    if server_name is not None and not is_server_name(server_name):
        raise ValueError("The kubeconfig's tls-server-name is no host's name; put it right.")
    return Connection(
        url=_text(cluster, "server").rstrip("/"),
        authorities=_pem(cluster, "certificate-authority", cluster_folder),
        token=None if token is None else SecretStr(token),
        token_file=token_file,
        certificate=_shown_by(user, user_folder),
        tls_server_name=server_name,
        namespace=_optional(chosen, "namespace"),
    )


def _document(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  few have a kubeconfig

    # Not one of these errors is kept: YAML's own quotes the text, which holds credentials.
    problem = "cannot be read; check its path, owner and mode."
    # PyYAML raises what its constructors come upon.
    with suppress(Exception):
        content = read_file(path, MAX_BYTES).data
        problem = "is no YAML of the kind that kubectl writes."
        document = yaml.safe_load(content)
        if isinstance(document, dict):
            return document
    raise ValueError(f"The kubeconfig {path} {problem}")


def _find(
    documents: Sequence[tuple[Path, dict[str, Any]]], group: str, member: str, name: str
) -> tuple[Path, dict[str, Any]]:
    for folder, document in documents:
        entries = document.get(group)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("name") == name:
                found = entry.get(member)
                return folder, found if isinstance(found, dict) else {}
    raise ValueError(f"The kubeconfig has no {member} of the name that is asked for; check it.")


def _refuse(entry: dict[str, Any], refused: dict[str, str], kind: str) -> None:
    for member, does in refused.items():
        if entry.get(member):
            raise ValueError(
                f"The kubeconfig's {kind} {does} ({member}), which this service does not follow; "
                "give it a service account's token file or a client certificate."
            )


def _text(entry: dict[str, Any], member: str) -> str:
    text = _optional(entry, member)
    if text is None:
        raise ValueError(f"The kubeconfig's entry lacks {member}; complete it.")
    return text


def _optional(entry: dict[str, Any], member: str) -> str | None:
    value = entry.get(member)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"The kubeconfig's {member} is no text; put it in quotes.")  # noqa: TRY004
    return value


def _path(entry: dict[str, Any], member: str, folder: Path) -> Path | None:
    text = _optional(entry, member)
    return None if text is None else folder / text


def _pem(entry: dict[str, Any], member: str, folder: Path) -> Pem | None:
    data = _optional(entry, f"{member}-data")
    if data is None:
        path = _path(entry, member, folder)
        return None if path is None else Pem(path)
    with suppress(binascii.Error, ValueError):
        return Pem(data=b64decode("".join(data.split()), validate=True))
    raise ValueError(f"The kubeconfig's {member}-data is no base64; write it again.")


def _shown_by(user: dict[str, Any], folder: Path) -> ClientCertificate | None:
    certificate, key = (_pem(user, name, folder) for name in ("client-certificate", "client-key"))
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ValueError(
            "The kubeconfig's user has a client certificate or a key without the other."
        )
    return ClientCertificate(certificate, key)
