"""A kubeconfig, read for server, trust and credentials; what it could run or weaken is refused.

Several files are merged as kubectl does: the first word on each name wins, and relative paths count
from the file they stand in.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import SecretStr

from adapters.kubernetes.connection import Connection
from adapters.kubernetes.tls import ClientCertificate, Pem
from adapters.system.files import read_file
from adapters.system.setting_types import is_one_line, is_server_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
        certificate=_certificate(user, user_folder),
        tls_server_name=server_name,
        namespace=_optional(chosen, "namespace"),
    )


def _document(path: Path) -> dict[str, Any]:
    # Not one of these errors is kept: YAML's own quotes the text, which holds credentials.
    failure = f"The kubeconfig {path} cannot be read; check its path, owner and mode."
    try:
        content = read_file(path, MAX_BYTES).data
    except OSError:
        pass
    else:
        failure = f"The kubeconfig {path} is no YAML of the kind that kubectl writes."
        try:
            document = yaml.safe_load(content)
        except Exception:  # noqa: BLE001  PyYAML raises what its constructors come upon
            document = None
        if isinstance(document, dict):
            return document
    raise ValueError(failure)


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
    try:
        return Pem(data=b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError):
        pass
    raise ValueError(f"The kubeconfig's {member}-data is no base64; write it again.")


def _certificate(user: dict[str, Any], folder: Path) -> ClientCertificate | None:
    certificate, key = (_pem(user, name, folder) for name in ("client-certificate", "client-key"))
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ValueError(
            "The kubeconfig's user has a client certificate or a key without the other."
        )
    return ClientCertificate(certificate, key)
