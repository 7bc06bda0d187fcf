"""What a secret store brings with it: one plug-in, found by its entry point.

The shipped stores and those of other distributions are registered in the same way, in the
entry-point group `wasmcloud_secrets.stores`; `docs/adding-a-store.md` walks through one.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from domain.model.opaque import opaque
from ports.plugin import API_VERSION, PluginError, Sample
from ports.settings import SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence

    from domain.model.identity import Caller
    from domain.model.selection import Selection
    from ports.clock import Clock
    from ports.peer_bus import PeerBus
    from ports.secret_store import SecretStore
    from ports.store_check import StoreCheck
    from ports.store_shape import StoreShape

__all__ = [
    "API_VERSION",
    "HttpRequest",
    "HttpResponse",
    "HttpRoute",
    "PluginError",
    "Preflight",
    "Sample",
    "StoreContext",
    "StoreParts",
    "StorePlugin",
]

SettingsT = TypeVar("SettingsT", bound=SettingsGroup)
ServiceT = TypeVar("ServiceT")


@opaque
class HttpRequest:
    """One request to a route of the admin listener; the body is whole and bounded. `headers`: by
    lower-case name; the values of a repeated header are joined by ", ".
    """

    headers: Mapping[str, str]
    body: bytes


class HttpResponse(NamedTuple):
    """What a route answers."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class HttpRoute(NamedTuple):
    """One path that a store serves on the admin listener, such as a webhook or a JWKS.

    Attributes:
        path: absolute, such as "/webhooks/infisical"; no two parts may take the same one.
        handle: called on the event loop; what it raises becomes a 500 without a text.
        max_body_bytes: a larger body is refused before it is read.
    """

    method: str
    path: str
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]]
    max_body_bytes: int = 64 * 1024


class StoreContext(Protocol):
    """What the service gives a store when it is built."""

    clock: Clock
    jitter: Callable[[], float]
    """Draws evenly from 0 up to 1, such as `random.random`."""
    peers: PeerBus
    user_agent: str
    request_timeout_seconds: float
    """What a request waits for the store at most."""
    worker: int
    """Number of this worker process, from 0."""
    workers: int
    """Worker processes of this replica; a limit that holds for the replica is divided by it."""
    transport_server: tuple[str, int] | None
    """Where the transport is connected to, for a store that uses its connection."""

    @abstractmethod
    def changed(self, selection: Selection) -> Awaitable[None]:
        """Tell that secrets have changed in the store; returns at once and never raises.

        This process forgets them at once, every other one as soon as it hears of it, and operators
        get the event that `docs/change-notice.md` describes. Returns what may be awaited, and need
        not be: it ends once the other processes were notified, and raises ChannelError if they
        could not be.
        """

    @abstractmethod
    def service(self, kind: type[ServiceT]) -> ServiceT:
        """Return what the chosen transport shares with stores, such as its connection.

        Raises:
            PluginError: the transport shares nothing of that kind; the text names it.
        """


async def _nothing() -> None:
    """Some stores open nothing of their own."""


class Preflight(NamedTuple):
    """What is asked ahead of a start in place of the check, which would use something up.

    Attributes:
        check: uses nothing up.
        proves: what it proves, as one line for the operator.
    """

    check: StoreCheck
    proves: str


@opaque
class StoreParts:
    """A store as the service runs it.

    Attributes:
        store: reads secrets.
        check: asks the store with the service's own credentials, at start and for readiness.
        preflight: asked by the command `check` instead, where `check` would use something up, such
            as credentials that can be used once. None where it does not.
        run: a background task such as a watch or a renewal, supervised from the moment the service
            is connected: when it returns or raises, readiness shows it and it is started again
            after a pause. None for a store without one.
        close: ends what the store opened; called once, after the last fetch.
        reload: takes up what the operator has changed outside the settings, on SIGHUP.
        problem: what is certain to make requests fail just now, as advice; None if nothing is.
        degraded: what works less well than it is configured to, as advice, while requests are
            served; None if nothing does. Readiness shows it and stays ready.
        samples: figures for metrics.
        routes: paths on the admin listener, which is required if there are any.
        closed_routes: paths that other settings would open, each with what to do about it.
        partition: what of a caller an answer depends on; answers are shared between callers of
            equal partitions. None for a store that answers every caller alike.
        cache_ttl_seconds: how old an answer may get where the operator does not say; 0 for a store
            that answers almost as fast as a cache would.
        server: host name and port for traces; None if there is not exactly one.
        announces_changes: whether the store calls `StoreContext.changed` when a secret changes.
    """

    store: SecretStore
    check: StoreCheck
    preflight: Preflight | None = None
    run: Callable[[], Awaitable[None]] | None = None
    close: Callable[[], Awaitable[None]] = _nothing
    reload: Callable[[], None] = lambda: None
    problem: Callable[[], str | None] = lambda: None
    degraded: Callable[[], str | None] = lambda: None
    samples: Callable[[], Iterable[Sample]] = lambda: ()
    routes: tuple[HttpRoute, ...] = ()
    closed_routes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    partition: Callable[[Caller], Hashable] | None = None
    cache_ttl_seconds: float = 5.0
    server: tuple[str, int] | None = None
    announces_changes: bool = False


class StorePlugin(Protocol, Generic[SettingsT]):
    """One kind of store: what an entry point of `wasmcloud_secrets.stores` loads to.

    Attributes:
        name: what SECRET_STORE chooses it by.
        title: its name in prose, such as "HashiCorp Vault".
        api_version: `API_VERSION` of the interface it was written for.
        settings: its variables, the only declaration of them: each field is read from the variable
            of the same name in capitals, after the model's `prefix` (or from its
            `validation_alias`es), and documented by its description.
        needs_entity_token: whether queries carry the entity's verified token.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    api_version: ClassVar[int]
    settings: type[SettingsT]
    needs_entity_token: ClassVar[bool] = False

    @abstractmethod
    def warnings(self, settings: SettingsT) -> Sequence[str]:
        """Name the security weaknesses of these settings, each with what to do about it."""

    @abstractmethod
    def build(self, settings: SettingsT, context: StoreContext) -> StoreParts:
        """Build the store; synchronous and without I/O but reading configured files.

        Raises:
            PluginError: a setting or a file cannot be used.
        """

    def shape(self, given: Mapping[str, str]) -> StoreShape | None:  # noqa: ARG002
        """Return how keys, versions and properties read, for `manifest check`. `given`: the
        settings that are set where manifests are checked, as texts by the names of their fields;
        any may be missing, the required ones too. Returns None where that is not known without the
        store: then they are not checked.

        Raises:
            PluginError: one of them cannot be used.
        """
        return None
