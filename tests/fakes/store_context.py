"""What a store is built with, on fakes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from ports.plugin import PluginError
from ports.store_plugin import StoreContext
from tests.fakes.clock import FakeClock
from tests.fakes.peer_bus import FakePeerBus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.model.selection import Selection
    from ports.clock import Clock
    from ports.peer_bus import PeerBus

ServiceT = TypeVar("ServiceT")


@dataclass
class FakeStoreContext(StoreContext):
    """The transport shares nothing.

    Attributes:
        told: the selections that were told to have changed, in order.
    """

    clock: Clock = field(default_factory=FakeClock)
    jitter: Callable[[], float] = lambda: 0.0
    peers: PeerBus = field(default_factory=FakePeerBus)
    user_agent: str = "wasmcloud-secrets/9.9.9"
    request_timeout_seconds: float = 8.0
    worker: int = 0
    workers: int = 1
    transport_server: tuple[str, int] | None = None
    told: list[Selection] = field(default_factory=list)

    @override
    def changed(self, selection: Selection) -> Awaitable[None]:
        self.told.append(selection)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    @override
    def service(self, kind: type[ServiceT]) -> ServiceT:
        raise PluginError("The transport shares nothing.")
