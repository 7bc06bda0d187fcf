"""The metrics of one replica, with every source there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.access_policy.file import PolicyStatus
from adapters.breaker.circuit import State
from adapters.breaker.store import BreakerState
from adapters.cache.statistics import CacheStatistics
from adapters.infisical.durations import Durations
from adapters.infisical.read_gate_state import ReadGateState
from adapters.infisical.state import InfisicalState, TokenState
from adapters.metrics.audit_trail import MeteredAuditTrail
from adapters.metrics.catalogue import CALL_STATUSES, WorkerEnd
from adapters.metrics.live import LiveCollector
from adapters.metrics.registry import Metrics
from adapters.metrics.secret_store import MeteredSecretStore
from adapters.metrics.sources import Sources
from adapters.metrics.worker_restarts import show_restarts
from adapters.upstream.bounded_store import BoundedSecretStore
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from collections.abc import Mapping


LIMITED = "rate_limited"
"""The reason of a store's UpstreamErrors that means that it is up."""


@dataclass
class Transport:
    in_flight: int = 0
    dropped: int = 0


@dataclass
class Connection:
    is_connected: bool = True


@dataclass
class Sink:
    waiting: int = 0
    dropped: int = 0
    failing: bool = False


@dataclass
class Policy:
    status: PolicyStatus = field(
        default_factory=lambda: PolicyStatus("d" * 64, 1_800_000_000.0, 2, 5, 1)
    )


@dataclass
class Breaker:
    counts: BreakerState = field(default_factory=lambda: BreakerState(State.CLOSED, 1000.0, 0, 0))

    def state(self) -> BreakerState:
        return self.counts


def durations(*seconds: float) -> Durations:
    """Return a count of these."""
    counted = Durations()
    for each in seconds:
        counted.add(each)
    return counted


@dataclass
class Infisical:
    status: InfisicalState = field(
        default_factory=lambda: InfisicalState(
            token=TokenState(age_seconds=30.0, remaining_seconds=3565.0),
            login_pause_seconds=12.5,
            withheld=None,
            reads=ReadGateState(
                in_flight=1, waiting=2, refused=3, limit=40, capacity=0, pause_seconds=45.0
            ),
            calls={status: number for number, status in enumerate(CALL_STATUSES)},
            call_durations={("read", "2xx"): durations(0.003, 0.2, 30.0)},
            read_waits=durations(0.0, 4.0),
        )
    )

    def state(self) -> InfisicalState:
        return self.status


@dataclass
class Cache:
    counts: CacheStatistics = field(default_factory=CacheStatistics)

    def statistics(self) -> CacheStatistics:
        return self.counts


@dataclass
class LastVerdict:
    ok: bool
    age_seconds: float


@dataclass
class Checks:
    verdicts: dict[str, LastVerdict] = field(
        default_factory=lambda: {"store": LastVerdict(True, 4.0)}
    )

    def last(self) -> Mapping[str, LastVerdict]:
        return self.verdicts


class Replica:
    """Fakes behind real metrics; change a fake, then look at `value`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics(self.clock, version="1.2.3", store="infisical")
        self.audit = FakeAuditTrail()
        self.trail = MeteredAuditTrail(self.audit, self.metrics)
        self.store = FakeSecretStore()
        self.metered_store = MeteredSecretStore(
            BoundedSecretStore(self.store, self.clock), self.metrics, self.clock
        )
        self.transport = Transport()
        self.connection = Connection()
        self.sink = Sink()
        self.log = Sink()
        self.policy = Policy()
        self.breaker = Breaker()
        self.infisical = Infisical()
        self.cache = Cache()
        self.checks = Checks()
        show_restarts(self.metrics, 1, {WorkerEnd.KILLED: 2})
        self.metrics.add(
            LiveCollector(
                Sources(
                    transport=self.transport,
                    connection=self.connection,
                    audit=self.audit,
                    in_flight_limit=8192,
                    sinks={"log": self.log, "file": self.sink},
                    policy=self.policy,
                    breaker=self.breaker,
                    infisical=self.infisical,
                    cache=self.cache,
                    readiness=self.checks,
                )
            )
        )

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Return every sample by its name and sorted labels."""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in self.metrics.families()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Return one sample's value; the name goes without the service's prefix."""
        wanted = f"wasmcloud_secrets_{name}", tuple(sorted(labels.items()))
        return self.samples().get(wanted)
