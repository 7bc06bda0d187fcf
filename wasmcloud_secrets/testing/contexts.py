"""What the service gives a plug-in when it is built, for a plug-in's own tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from adapters.system.clock import SystemClock
from adapters.system.lone_process import KnownAnswers
from wasmcloud_secrets.extension import (
    Answers,
    Clock,
    PeerBus,
    PeerMessages,
    PluginError,
    StoreContext,
    TransportContext,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from wasmcloud_secrets.extension import Selection

_Service = TypeVar("_Service")


class MemoryBus(PeerBus):
    """Reaches the other buses of one list, all in this process.

    Args:
        peers: the processes of one backend; this one is added.

    Attributes:
        sent: topic and payload of every broadcast, question and event, in order.
        received: what subscribes to each topic.
    """

    def __init__(self, peers: list[MemoryBus] | None = None) -> None:
        self.sent: deque[tuple[str, bytes]] = deque(maxlen=1000)
        self.received: dict[str, Callable[[bytes], bytes | None]] = {}
        self._peers = [] if peers is None else peers
        self._peers.append(self)

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))
        for peer in self._peers:
            if peer is not self:
                peer.take(topic, payload)

    @override
    async def subscribe(
        self,
        topic: str,
        received: Callable[[bytes], bytes | None],
        *,
        from_operators: bool = False,
    ) -> None:
        self.received[topic] = received

    @override
    async def ask(self, topic: str, payload: bytes) -> Answers:
        self.sent.append((topic, payload))
        answers = [peer.take(topic, payload) for peer in self._peers]
        return KnownAnswers([answer for answer in answers if answer is not None])

    @override
    async def publish(self, event: str, payload: bytes) -> None:
        self.sent.append((event, payload))

    def take(self, topic: str, payload: bytes) -> bytes | None:
        """Deliver a message to this process, and return its answer."""
        received = self.received.get(topic)
        try:
            return None if received is None else received(payload)
        except Exception:  # noqa: BLE001  as the port promises
            return None


class PlainMessages(PeerMessages):
    """Authenticates nothing."""

    @override
    def wrap(self, subject: str, body: bytes) -> bytes:
        return body

    @override
    def unwrap(self, subject: str, message: bytes) -> bytes:
        return message


@dataclass
class FakeStoreContext(StoreContext):
    """A store's context.

    Attributes:
        changes: what the store has announced, in order.
        shared: what the transport shares, by type.
    """

    clock: Clock = field(default_factory=SystemClock)
    peers: PeerBus = field(default_factory=MemoryBus)
    jitter: Callable[[], float] = lambda: 0.5
    user_agent: str = "wasmcloud-secrets/test"
    request_timeout_seconds: float = 8.0
    worker: int = 0
    workers: int = 1
    transport_server: tuple[str, int] | None = None
    shared: Mapping[type, Any] = field(default_factory=dict)
    changes: list[Selection] = field(default_factory=list)

    @override
    def changed(self, selection: Selection) -> Awaitable[None]:
        self.changes.append(selection)
        notified: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        notified.set_result(None)
        return notified

    @override
    def service(self, kind: type[_Service]) -> _Service:
        with contextlib.suppress(KeyError):
            found: _Service = self.shared[kind]
            return found
        raise PluginError(f"needs a {kind.__qualname__}, which the transport has not.")


@dataclass
class FakeTransportContext(TransportContext):
    """A transport's context."""

    clock: Clock = field(default_factory=SystemClock)
    backend: str = "test"
    user_agent: str = "wasmcloud-secrets/test"
    max_in_flight: int = 100
    max_request_bytes: int = 16384
    request_timeout_seconds: float = 8.0
    worker: int = 0
    workers: int = 1
    peer_messages: PeerMessages = field(default_factory=PlainMessages)
