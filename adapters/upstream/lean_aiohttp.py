"""aiohttp, imported without the certificates of the public authorities.

At its import it reads all that the machine trusts into a context that no engine here uses: each
brings its own. That is a third of what the import takes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["aiohttp"]

_CERTIFICATES: Final = "SSL_CERT_FILE"


@contextmanager
def _no_certificates() -> Iterator[None]:
    """Have OpenSSL find no certificates where it looks by default."""
    before = os.environ.get(_CERTIFICATES)
    os.environ[_CERTIFICATES] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CERTIFICATES]
        else:
            os.environ[_CERTIFICATES] = before


with _no_certificates():
    import aiohttp
