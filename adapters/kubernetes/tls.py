"""Certificates of a connection, from files or from a kubeconfig's own data."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


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
    try:
        if authorities.path is not None:
            context.load_verify_locations(cafile=authorities.path)
        else:
            context.load_verify_locations(cadata=(authorities.data or b"").decode("ascii"))
    except (OSError, ValueError):
        pass
    else:
        return
    raise ValueError(
        "The certificate authority of the Kubernetes API server is no readable PEM certificate."
    )


def load_certificate(context: ssl.SSLContext, shown: ClientCertificate) -> None:
    """Show this certificate in handshakes from now on, in place of any former one.

    Raises:
        ValueError: it cannot be used; the text says what to check and holds nothing of the key.
    """
    try:
        with _file(shown.certificate) as certificate, _file(shown.key) as key:
            context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError):
        pass
    else:
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
