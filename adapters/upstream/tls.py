"""The certificates by which a store is recognised, and those shown to it."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

import certifi

if TYPE_CHECKING:
    from adapters.upstream.config import UpstreamConfig


def tls_context(config: UpstreamConfig) -> ssl.SSLContext:
    """Read the certificates from disk.

    Without a CA file, SSL_CERT_FILE and SSL_CERT_DIR count, else the public authorities.

    Raises:
        OSError: a file cannot be read or holds no certificate (`ssl.SSLError` is one).
    """
    if config.tls is not None:
        return config.tls
    cafile: str | None = None
    if config.ca_file is not None:
        cafile = str(config.ca_file)
    elif not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        cafile = certifi.where()
    context = ssl.create_default_context(cafile=cafile)
    if config.client_certificate is not None:
        certificate, key = config.client_certificate
        context.load_cert_chain(certificate, key)
    return context
