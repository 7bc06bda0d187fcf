"""Unit tests are hermetic: one that opens a network connection fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_socket import disable_socket, enable_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

# Reading the public authorities, as every client of a store does, takes longer than most tests.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parents[1] / "integration/nats/tls/ca.pem")
for name in ("SSL_CERT_DIR", "SSLKEYLOGFILE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
    os.environ.pop(name, None)
    os.environ.pop(name.lower(), None)


@pytest.fixture(autouse=True, scope="package")
def _no_network() -> Iterator[None]:
    # The event loop itself needs a pair of Unix sockets.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
