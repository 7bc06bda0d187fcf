"""What the service gives to stores and transports when they are built, its own name included."""

from __future__ import annotations

import os
import random
import re
import socket
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from bootstrap.version import __version__
from domain.model.opaque import stateful
from ports.plugin import PluginError
from ports.store_plugin import StoreContext
from ports.transport_plugin import TransportContext

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from domain.model.selection import Selection
    from ports.clock import Clock
    from ports.peer_bus import PeerBus
    from ports.transport_plugin import PeerMessages


_LONGEST_HOST_NAME: Final = 100

USER_AGENT: Final = f"wasmcloud-secrets/{__version__}"

_Service = TypeVar("_Service")


def replica_name(host: str | None = None) -> str:
    """Name this process as answers and logs do: the machine's name and the process's number."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname() if host is None else host)
    return f"{plain[:_LONGEST_HOST_NAME]}:{os.getpid()}"


@stateful
class ServiceTransportContext(TransportContext):
    """The transport's."""

    clock: Clock
    backend: str
    max_in_flight: int
    max_request_bytes: int
    request_timeout_seconds: float
    worker: int
    workers: int
    peer_messages: PeerMessages
    user_agent: str = USER_AGENT


@stateful
class ServiceStoreContext(StoreContext):
    """The store's.

    Attributes:
        announce: as `StoreContext.changed`.
        shared: what the transport shares, by type.
        transport: the transport's name, for an error.
    """

    clock: Clock
    peers: PeerBus
    announce: Callable[[Selection], Awaitable[None]]
    shared: Mapping[type, Any]
    transport: str
    transport_server: tuple[str, int] | None
    request_timeout_seconds: float
    worker: int
    workers: int
    user_agent: str = USER_AGENT
    jitter: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)

    @override
    def changed(self, selection: Selection) -> Awaitable[None]:
        return self.announce(selection)

    @override
    def service(self, kind: type[_Service]) -> _Service:
        found: _Service | None = self.shared.get(kind)
        if found is None:
            raise PluginError(
                f"{self.transport} shares no {kind.__module__}.{kind.__qualname__}, and the store "
                "needs one; choose another transport or another SECRET_STORE.",
                setting="TRANSPORT",
            )
        return found
