"""Which host asks: what its client certificate names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"
_URI: Final = re.compile(rf"wasmcloud-host://(?P<environment>{_NAME})/(?P<host>{_NAME})", re.ASCII)
_SCHEME: Final = "wasmcloud-host:"


@dataclass(frozen=True, slots=True)
class CertifiedHost:
    """A host whose certificate the TLS handshake has verified."""

    environment: str
    name: str


def certified_host(certificate: Mapping[str, Any] | None) -> CertifiedHost | None:
    """Return the host that a verified certificate names; None if it names none, or several.

    Args:
        certificate: as `ssl.SSLSocket.getpeercert` returns it. The name is a URI among its subject
            alternative names: `wasmcloud-host://ENVIRONMENT/HOST`.
    """
    names = (certificate or {}).get("subjectAltName", ())
    uris = [text for kind, text in names if kind == "URI" and text.startswith(_SCHEME)]
    found = _URI.fullmatch(uris[0]) if len(uris) == 1 else None
    return None if found is None else CertifiedHost(found["environment"], found["host"])
