"""Variables that libraries read by themselves, and from the environment alone."""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ports.settings import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


OF_LIBRARIES: Final = {
    "ALL_PROXY": "The proxy for stores behind HTTP, where none is named for the address's scheme.",
    "HTTPS_PROXY": "The proxy for stores whose address begins with https.",
    "HTTP_PROXY": "The proxy for stores whose address begins with http.",
    "NO_PROXY": "Hosts, domains and networks that are reached without a proxy.",
    "SSL_CERT_DIR": "The folder of the authorities to trust, where no CA setting names them.",
    "SSL_CERT_FILE": "The authorities to trust, where no CA setting names them.",
    "SSLKEYLOGFILE": "Refused: where TLS keys would be written.",
}
"""Each with its meaning."""


def unusable_variables(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the variables that Python and OpenSSL read for TLS.

    OpenSSL skips files that it cannot use in silence, and would then refuse every server. Proxies
    are judged with the address that they are for. `environment`: the variables that are set, by
    names in capitals.
    """
    if (file := environment.get("SSL_CERT_FILE")) and not holds_certificates(file):
        yield Problem(
            "SSL_CERT_FILE",
            "must name a file of certificates in PEM form that this user may read; mend it, or "
            "unset it to trust the public authorities.",
        )
    if (folder := environment.get("SSL_CERT_DIR")) and not Path(folder).is_dir():
        yield Problem("SSL_CERT_DIR", "must name an existing folder; mend it, or unset it.")
    if environment.get("SSLKEYLOGFILE"):
        yield Problem(
            "SSLKEYLOGFILE",
            "has the keys of TLS connections written to a file, and they open every secret and "
            "credential that was sent; unset it.",
        )


def without_userinfo(name: str, value: str) -> str:
    """Return a variable's value as it may be shown: an address loses its credentials. `name`: in
    capitals.
    """
    if not name.endswith("_PROXY") or name == "NO_PROXY" or "@" not in value:
        return value
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    except ValueError:
        return ""


def holds_certificates(file: str | Path) -> bool:
    """Say whether OpenSSL can read authorities from a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except OSError:
        return False
    return True


@contextmanager
def without_variables(prefix: str) -> Iterator[None]:
    """Hide variables while a library is imported and set up; no other thread may run meanwhile."""
    hidden = {name: text for name, text in os.environ.items() if name.startswith(prefix)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
