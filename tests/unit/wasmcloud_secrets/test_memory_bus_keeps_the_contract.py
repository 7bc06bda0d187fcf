"""The bus that plug-ins get in their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from wasmcloud_secrets.testing.contexts import MemoryBus
from wasmcloud_secrets.testing.peer_bus import PeerBusContract

if TYPE_CHECKING:
    from ports.peer_bus import PeerBus


class TestMemoryBus(PeerBusContract):
    @pytest.fixture(autouse=True)
    def _peers(self) -> None:
        self.peers: list[MemoryBus] = []

    @override
    def bus(self) -> PeerBus:
        return MemoryBus(self.peers)
