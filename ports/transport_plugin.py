"""What a transport brings with it: one plug-in, found by its entry point.

The shipped transport and those of other distributions are registered in the same way, in the
entry-point group `wasmcloud_secrets.transports`; `docs/adding-a-transport.md` walks through one.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from domain.model.opaque import opaque
from ports.plugin import API_VERSION, PluginError, Sample
from ports.settings import SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from ports.clock import Clock
    from ports.peer_bus import PeerBus
    from ports.transport import Channel, Transport

__all__ = [
    "API_VERSION",
    "PeerMessages",
    "PluginError",
    "TransportContext",
    "TransportFailedError",
    "TransportParts",
    "TransportPlugin",
    "TransportRefusedError",
]

SettingsT = TypeVar("SettingsT", bound=SettingsGroup)


class TransportFailedError(Exception):
    """Requests cannot be taken; the text says what to check and holds no credential."""


class TransportRefusedError(TransportFailedError):
    """The other side is there and refuses this service, by its login or its limits.

    Only the other side can change that, so the service tries again until it does.
    """


class PeerMessages(Protocol):
    """Authenticates what the processes of one backend tell each other, by a key they share."""

    @abstractmethod
    def wrap(self, subject: str, body: bytes) -> bytes:
        """Return the message that carries `body` on that subject."""

    @abstractmethod
    def unwrap(self, subject: str, message: bytes) -> bytes:
        """Return the body of a message that another process made for that subject; once.

        Raises:
            ValueError: it is none, or too old, or was taken before; the text is a constant code.
        """


class TransportContext(Protocol):
    """What the service gives a transport when it is built."""

    clock: Clock
    backend: str
    """The backend's name, as the manifests' policies give it."""
    user_agent: str
    max_in_flight: int
    """Requests under way at a time; the transport refuses further ones."""
    max_request_bytes: int
    """Longer bodies are refused by the core unopened: a transport passes them on unqueued."""
    request_timeout_seconds: float
    """Time to answer a request; one that was kept waiting for longer is refused."""
    worker: int
    """Number of this worker process, from 0."""
    workers: int
    """Worker processes of this replica, each with a transport of its own."""
    peer_messages: PeerMessages
    """For the transport's peer bus, if it has one."""


async def _nothing() -> None:
    """Some transports open and close nothing beside their listener."""


@opaque
class TransportParts:
    """A transport as the service runs it.

    Attributes:
        transport: takes requests.
        channel: the host's end. It asks other replicas for their server xkey at start; None where
            there is no other end to ask.
        open: connects, before anything else uses the transport or what it shares.
            Raises TransportFailedError if that cannot be done; after TransportRefusedError it
            is called again.
        close: disconnects; called once, last.
        run: a watch, run while the service serves; it ends only by raising TransportFailedError,
            and the service with it. None for a transport that cannot be lost for good.
        problem: what keeps requests from arriving just now, as advice; None if nothing does.
        samples: figures for metrics.
        peers: how processes of this backend reach each other; None if they cannot.
        shared: what stores and the audit trail may use of it, by type, such as its connection.
        server: host name and port that it is connected to, for traces; None if there is not
            exactly one.
        address_of: where an operation is asked for, such as a subject; for logs and traces.
        system: the name of the messaging system in traces, such as "nats".
        announced: what the log says about it once the service is ready.
        identifies_requesters: whether `Request.requester` is required for every request.
    """

    transport: Transport
    channel: Channel | None = None
    open: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing
    run: Callable[[], Awaitable[None]] | None = None
    problem: Callable[[], str | None] = lambda: None
    samples: Callable[[], Iterable[Sample]] = lambda: ()
    peers: PeerBus | None = None
    shared: Mapping[type, Any] = field(default_factory=lambda: MappingProxyType({}))
    server: tuple[str, int] | None = None
    address_of: Callable[[str], str] = lambda operation: operation
    system: str = "other"
    announced: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    identifies_requesters: bool = False


class TransportPlugin(Protocol, Generic[SettingsT]):
    """One kind of transport: what an entry point of `wasmcloud_secrets.transports` loads to.

    Attributes:
        name: what TRANSPORT chooses it by.
        title: its name in prose, such as "NATS".
        api_version: `API_VERSION` of the interface it was written for.
        settings: its variables, the only declaration of them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    api_version: ClassVar[int]
    settings: type[SettingsT]

    @abstractmethod
    def warnings(self, settings: SettingsT) -> Sequence[str]:
        """Name the security weaknesses of these settings, each with what to do about it."""

    @abstractmethod
    def build(self, settings: SettingsT, context: TransportContext) -> TransportParts:
        """Build the transport; synchronous and without I/O but reading configured files.

        Raises:
            PluginError: a setting or a file cannot be used.
        """
