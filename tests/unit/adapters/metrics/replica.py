"""The metrics of one replica, with every source there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.access_policy.status import PolicyStatus
from adapters.admin_http.readiness import Finding, Readiness, ReadinessCheck
from adapters.audit.sink import audit_samples
from adapters.breaker.circuit import State
from adapters.breaker.store import BreakerState, breaker_samples
from adapters.cache.samples import cache_samples
from adapters.cache.statistics import CacheStatistics
from adapters.infisical.state import InfisicalState, TokenState, infisical_samples
from adapters.kubernetes.assembly import call_samples, read_samples, watch_samples
from adapters.metrics.audit_trail import MeteredAuditTrail
from adapters.metrics.catalogue import PREFIX, Kind, Label, MetricSpec, catalogue
from adapters.metrics.registry import Metrics
from adapters.metrics.secret_store import MeteredSecretStore, host_wait_samples
from adapters.metrics.worker_end import WorkerEnd
from adapters.nats.plugin import nats_samples
from adapters.system.lateness import LoopLateness
from adapters.upstream.bounded_store import BoundedSecretStore
from adapters.upstream.statistics import AdmissionState, Histogram
from adapters.vault.assembly import vault_samples
from domain.use_cases.host_waits import HostWaits
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.unit.adapters.metrics.wasmcloud2_parts import wasmcloud2_samples

LIMITED = "rate_limited"
"""The reason of a store's UpstreamErrors that means that it is up."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ports.plugin import Sample

CALL_STATUSES = ("2xx", "3xx", "4xx", "429", "5xx", "none")


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


def durations(*seconds: float) -> Histogram:
    """Return a count of these."""
    counted = Histogram()
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
            reads=AdmissionState(
                in_flight=1, waiting=2, refused=3, limit=40, capacity=0, pause_seconds=45.0
            ),
            calls={status: number for number, status in enumerate(CALL_STATUSES)},
            call_durations={("read", "2xx"): durations(0.003, 0.2, 30.0)},
            read_waits=durations(0.0, 4.0),
        )
    )


@dataclass
class Vault:
    """What `vault_samples` reads of tokens, admission, calls and pauses."""

    longest_seconds: float = 0.0
    remaining_seconds: float = 900.0
    counts: tuple[int, int] = (3, 1)
    waits: Histogram = field(default_factory=durations)
    durations: dict[tuple[str, str], Histogram] = field(
        default_factory=lambda: {("read", "2xx"): durations(0.01)}
    )

    def state(self) -> AdmissionState:
        return AdmissionState(
            in_flight=1, waiting=0, refused=0, limit=None, capacity=0, pause_seconds=0.0
        )


@dataclass
class Watch:
    events: int = 7
    ends: dict[str, int] = field(default_factory=lambda: {"ended": 2})


@dataclass
class Kubernetes:
    """What the samples of Kubernetes read of its reader, watches and change notices."""

    stale_reads: int = 0
    outages: int = 0
    announced: int = 1
    left_to_peers: int = 1
    all: dict[str, Watch] = field(default_factory=lambda: {"shop": Watch()})

    def down(self) -> dict[str, str]:
        return {}

    def down_seconds(self) -> float:
        return 0.0


@dataclass
class Cache:
    counts: CacheStatistics = field(default_factory=CacheStatistics)


async def _never() -> Finding:
    raise AssertionError("no check is made for a scrape")


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
        self.sink: Any = Sink()
        self.log: Any = Sink()
        self.policy = Policy()
        self.breaker = Breaker()
        self.host_waits = HostWaits(5.0, frozen_seconds=7.5, cut_short=3)
        self.infisical = Infisical()
        self.cache = Cache()
        self.vault: Any = Vault()
        self.kubernetes: Any = Kubernetes()
        self.readiness = Readiness([ReadinessCheck("store", _never)], self.clock)
        self.readiness.note("store", Finding(ok=True))
        self.metrics.show_restarts(1, {WorkerEnd.KILLED: 2})
        self.sources: tuple[Callable[[], Iterable[Sample]], ...] = (
            lambda: nats_samples(
                in_flight=self.transport.in_flight,
                limit=8192,
                dropped=self.transport.dropped,
                is_connected=self.connection.is_connected,
            ),
            lambda: audit_samples(self.audit, {"log": self.log, "file": self.sink}),
            lambda: self.policy.status.samples(),  # noqa: PLW0108  tests replace the status
            lambda: breaker_samples(self.breaker.counts),
            lambda: host_wait_samples(self.host_waits),
            lambda: cache_samples(self.cache.counts),
            lambda: infisical_samples(self.infisical.status),
            lambda: vault_samples(self.vault, self.vault, self.vault, self.vault),
            lambda: read_samples(self.kubernetes, self.vault, self.vault),
            lambda: call_samples({"2xx": 4}),
            lambda: watch_samples(self.kubernetes, self.kubernetes),
            wasmcloud2_samples,
            self.readiness.samples,
            LoopLateness(self.clock).samples,
        )
        self.metrics.watch(*self.sources)

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


_CONSTANT = {"call", "status", "result"}
"""Labels of samples whose values are constants of the code; of others configuration decides."""


def every_spec() -> list[MetricSpec]:
    """Return every metric: those that are counted, then those of the parts, by name."""
    sources = Replica().sources
    meanings: dict[str, tuple[Kind, str]] = {}
    values: dict[str, dict[str, list[str]]] = {}
    for sample in (sample for source in sources for sample in source()):
        meanings[sample.name] = Kind(sample.kind), sample.meaning
        for label, value in sample.labels:
            found = values.setdefault(sample.name, {}).setdefault(label, [])
            found += [] if value in found else [value]
    return [
        *catalogue(),
        *(
            MetricSpec(
                PREFIX + name,
                kind,
                meaning,
                tuple(
                    Label(label, tuple(found) if label in _CONSTANT else None)
                    for label, found in values.get(name, {}).items()
                ),
            )
            for name, (kind, meaning) in meanings.items()
        ),
    ]
