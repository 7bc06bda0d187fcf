"""Where the API server is, how to trust it, and who asks."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.system.files import read_file

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from pydantic import SecretStr

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts a pod's token, CA and namespace."""

_MAX_NAMESPACE_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Pem:
    """PEM text, in a file or in memory.

    Attributes:
        path: the file; it is read again at each use.
        data: the text itself, where there is no file.
    """

    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What the service shows of itself."""

    certificate: Pem
    key: Pem = field(repr=False)


def load_authorities(context: ssl.SSLContext, authorities: Pem) -> None:
    """Trust these certificate authorities too.

    Raises:
        ValueError: they cannot be read; the text says what to check.
    """
    with suppress(OSError, ValueError):
        if authorities.path is not None:
            context.load_verify_locations(cafile=authorities.path)
        else:
            context.load_verify_locations(cadata=(authorities.data or b"").decode("ascii"))
        return
    raise ValueError(
        "The certificate authority of the Kubernetes API server is no readable PEM certificate."
    )


def load_certificate(context: ssl.SSLContext, shown: ClientCertificate) -> None:
    """Show this certificate in handshakes from now on, in place of any former one.

    Raises:
        ValueError: it cannot be used; the text says what to check and holds nothing of the key.
    """
    with suppress(OSError, ValueError):
        with _file(shown.certificate) as certificate, _file(shown.key) as key:
            context.load_cert_chain(certificate, key, password=_no_password)
        return
    raise ValueError(
        "The client certificate for Kubernetes, or its key, is no readable PEM, is encrypted, or "
        "the two do not belong together."
    )


def _no_password() -> str:
    # Without this an encrypted key would have OpenSSL ask on the terminal and wait.
    raise ValueError("encrypted")


@contextmanager
def _file(pem: Pem) -> Iterator[Path]:
    """Give a path to the text; what has none is in memory only, since `ssl` reads files alone."""
    if pem.path is not None:
        yield pem.path
        return
    if not hasattr(os, "memfd_create"):
        raise ValueError("no memory files here")
    descriptor = os.memfd_create("pem")
    try:
        os.write(descriptor, pem.data or b"")
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a call needs beside its path.

    Attributes:
        url: the API server's address, with a path before `/api` or without.
        authorities: what to trust beside nothing else; None for the system's.
        certificate: the client certificate shown instead of a token.
        tls_server_name: the name that the server's certificate has, where it is not the URL's.
        namespace: the one that the source of the connection names, if it names any.

    Raises:
        ValueError: token and certificate are both given, or none of the three.
    """

    url: str
    authorities: Pem | None = None
    token: SecretStr | None = field(default=None, repr=False)
    token_file: Path | None = None
    certificate: ClientCertificate | None = None
    tls_server_name: str | None = None
    namespace: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would be decided by the server in silence."""
        tokens = (self.token is not None) + (self.token_file is not None)
        if tokens and self.certificate is not None:
            raise ValueError(
                "A token and a client certificate are both given, and the API server would look "
                "at the certificate alone; keep one of them."
            )
        if tokens + (self.certificate is not None) != 1:
            raise ValueError(
                "Name one way to authenticate to Kubernetes: a token file, a token or a client "
                "certificate with its key."
            )


def in_cluster(
    host: str, port: str, folder: Path = SERVICE_ACCOUNT, *, needs_token: bool = True
) -> Connection:
    """Return the connection of a pod, from what the kubelet gives it.

    Args:
        host: KUBERNETES_SERVICE_HOST; an IPv6 address comes without brackets.
        port: KUBERNETES_SERVICE_PORT.
        folder: where token, ca.crt and namespace are mounted.
        needs_token: False where another token file is configured.

    Raises:
        ValueError: the pod has no service account mounted, or a value is no address.
    """
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004  ports
        raise ValueError("KUBERNETES_SERVICE_PORT is no port; it is set by the kubelet.")
    for name in ("token", "ca.crt") if needs_token else ():
        if not (folder / name).is_file():
            raise ValueError(
                f"This looks like a pod, but {folder / name} is missing; set "
                "automountServiceAccountToken or mount a projected token, or name another way to "
                "reach Kubernetes."
            )
    address = f"[{host}]" if ":" in host else host
    return Connection(
        url=f"https://{address}:{int(port)}",
        authorities=Pem(folder / "ca.crt"),
        token_file=folder / "token",
        namespace=_namespace(folder / "namespace"),
    )


def _namespace(path: Path) -> str | None:
    try:
        return read_file(path, _MAX_NAMESPACE_BYTES).data.decode("ascii").strip() or None
    except (OSError, ValueError):
        return None
