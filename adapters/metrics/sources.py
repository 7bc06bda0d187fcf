"""What is read, at each scrape, from the parts that know."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TransportState(Protocol):
    """As `adapters.nats.transport.NatsTransport` has it."""

    @property
    def in_flight(self) -> int: ...

    @property
    def dropped(self) -> int: ...


class ConnectionState(Protocol):
    """As `adapters.nats.connection.NatsConnection` has it."""

    @property
    def is_connected(self) -> bool: ...


class AuditState(Protocol):
    """As `ports.audit.AuditTrail` has it."""

    def accepts(self) -> bool: ...


class SinkState(Protocol):
    """As `adapters.audit.buffered.BufferedSink` has it, and the log as a sink."""

    @property
    def waiting(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    @property
    def failing(self) -> bool: ...


class PolicyStatus(Protocol):
    """As `adapters.access_policy.file.PolicyStatus` has it."""

    @property
    def digest(self) -> str | None: ...

    @property
    def loaded_at(self) -> float | None: ...

    @property
    def issuers(self) -> int: ...

    @property
    def grants(self) -> int: ...

    @property
    def denials(self) -> int: ...

    @property
    def refusal(self) -> object | None: ...


class PolicyState(Protocol):
    """As `adapters.access_policy.file.AccessPolicyFile` has it."""

    @property
    def status(self) -> PolicyStatus: ...


class BreakerState(Protocol):
    """As `adapters.breaker.store.BreakerState` has it."""

    @property
    def state(self) -> str: ...

    @property
    def opened_count(self) -> int: ...

    @property
    def refused_count(self) -> int: ...


class Breaker(Protocol):
    """As `adapters.breaker.store.BreakingSecretStore` has it."""

    def state(self) -> BreakerState: ...


class TokenState(Protocol):
    """As `adapters.infisical.state.TokenState` has it."""

    @property
    def age_seconds(self) -> float: ...

    @property
    def remaining_seconds(self) -> float: ...


class ReadsState(Protocol):
    """As `adapters.infisical.read_gate_state.ReadGateState` has it."""

    @property
    def in_flight(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def limit(self) -> int | None: ...

    @property
    def pause_seconds(self) -> float: ...


class Durations(Protocol):
    """As `adapters.infisical.durations.Durations` has it."""

    @property
    def count(self) -> int: ...

    @property
    def sum_seconds(self) -> float: ...

    @property
    def within(self) -> Sequence[tuple[float, int]]: ...


class InfisicalState(Protocol):
    """As `adapters.infisical.state.InfisicalState` has it."""

    @property
    def token(self) -> TokenState | None: ...

    @property
    def login_pause_seconds(self) -> float: ...

    @property
    def reads(self) -> ReadsState: ...

    @property
    def calls(self) -> Mapping[str, int]: ...

    @property
    def call_durations(self) -> Mapping[tuple[str, str], Durations]: ...

    @property
    def read_waits(self) -> Durations: ...


class Infisical(Protocol):
    """As `adapters.infisical.client.InfisicalApi` has it."""

    def state(self) -> InfisicalState: ...


class CacheCounts(Protocol):
    """As `adapters.cache.statistics.CacheStatistics` has it."""

    @property
    def hits(self) -> int: ...

    @property
    def misses(self) -> int: ...

    @property
    def shared(self) -> int: ...

    @property
    def negative_hits(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def stale(self) -> int: ...

    @property
    def refreshes(self) -> int: ...

    @property
    def evictions(self) -> int: ...

    @property
    def flushed(self) -> int: ...

    @property
    def entries(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def waiting_limit(self) -> int: ...


class CacheState(Protocol):
    """As `adapters.cache.store.CachedSecretStore` has it."""

    def statistics(self) -> CacheCounts: ...


class CheckVerdict(Protocol):
    """As `adapters.admin_http.readiness.Verdict` has it."""

    @property
    def ok(self) -> bool: ...

    @property
    def age_seconds(self) -> float: ...


class ReadinessState(Protocol):
    """As `adapters.admin_http.readiness.Readiness` has it."""

    def last(self) -> Mapping[str, CheckVerdict]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The parts of one replica; what is None or empty has no metrics.

    Attributes:
        sinks: by the name that the label `sink` gives them, such as "log", "file" and "stream".
        in_flight_limit: requests served at a time.
        readiness: the last verdicts; no check is made for a scrape.
    """

    transport: TransportState
    connection: ConnectionState
    audit: AuditState
    in_flight_limit: int
    sinks: Mapping[str, SinkState] = field(default_factory=lambda: MappingProxyType({}))
    policy: PolicyState | None = None
    breaker: Breaker | None = None
    infisical: Infisical | None = None
    cache: CacheState | None = None
    readiness: ReadinessState | None = None
