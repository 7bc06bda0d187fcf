"""The certificates by which a store is recognised, and those shown to it."""

from __future__ import annotations

import os
import ssl
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi

if TYPE_CHECKING:
    from adapters.upstream.config import UpstreamConfig


def tls_context(config: UpstreamConfig) -> ssl.SSLContext:
    """Read the certificates from disk.

    Without a CA file, SSL_CERT_FILE and SSL_CERT_DIR count, which were tried with the settings,
    else the public authorities; none is trusted where nothing on the way speaks TLS.

    Raises:
        OSError: a file cannot be read or holds no certificate (`ssl.SSLError` is one).
        PluginError: a proxy in the environment cannot be used.
    """
    if config.tls is not None:
        return config.tls
    if config.ca_file is not None:
        context = ssl.create_default_context(cafile=str(config.ca_file))
    elif os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        context = ssl.create_default_context()
    elif config.client_certificate is None:
        if _is_plain(config):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return _public_authorities()
    else:
        context = ssl.create_default_context(cafile=certifi.where())
    if config.client_certificate is not None:
        certificate, key = config.client_certificate
        context.load_cert_chain(certificate, key)
    return context


def _is_plain(config: UpstreamConfig) -> bool:
    """Whether neither the store nor the proxy before it is reached by TLS."""
    proxy = config.proxy()
    addresses = [config.base_url] if proxy is None else [config.base_url, proxy.url]
    return all(urlsplit(address).scheme == "http" for address in addresses)


@cache
def _public_authorities() -> ssl.SSLContext:
    """Read them once: they take a megabyte, which worker processes share."""
    return ssl.create_default_context(cafile=certifi.where())
