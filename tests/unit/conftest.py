"""Unit tests are hermetic: one that opens a network connection fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_socket import disable_socket, enable_socket

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    # The event loop itself needs a pair of Unix sockets.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
