"""Workloads of wasmCloud 2, the rules that name them, and what reads for them, on fakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.model.access_patterns import SecretPattern, WorkloadPattern
from domain.model.access_rules import AccessRules, Denial, Grant
from domain.model.patterns import PathPattern, TextPattern
from domain.model.secret_uri import parse_secret_uri
from domain.model.workload import Workload
from domain.use_cases.authorize_access import AuthorizeAccess
from domain.use_cases.fetch_secret import FetchSecret
from domain.use_cases.read_for_workload import ReadForWorkload
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.fakes.fault_log import FakeFaultLog
from tests.fakes.request_ids import FakeRequestIds
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from domain.model.access import AccessPolicy
    from domain.model.audit import AuditEvent
    from domain.use_cases.read_for_workload import ReadOutcome
    from ports.secret_store import CachedSecrets

CART = Workload("prod", "shop", "cart")


def texts(*patterns: str) -> tuple[TextPattern, ...]:
    """Return patterns on names."""
    return tuple(map(TextPattern, patterns))


def workload_grant(
    *paths: str,
    name: str = "the shop's",
    environments: tuple[str, ...] = ("prod",),
    namespaces: tuple[str, ...] = ("shop",),
    names: tuple[str, ...] = ("*",),
) -> Grant:
    """Grant paths to the workloads that are named."""
    who = WorkloadPattern(texts(*environments), texts(*namespaces), texts(*names))
    return Grant(name, (), (SecretPattern(tuple(map(PathPattern, paths))),), (who,))


def workload_rules(*grants: Grant, denials: tuple[Denial, ...] = ()) -> AccessRules:
    """Return rules that trust no issuer."""
    return AccessRules(frozenset(), grants or (workload_grant("/**"),), denials)


@dataclass
class Reads:
    """`ReadForWorkload` on fakes."""

    access: AccessPolicy = field(default_factory=workload_rules)
    hide_missing: bool = False
    needs_token: bool = False
    cache: CachedSecrets | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeSecretStore = field(default_factory=FakeSecretStore)
    audit: FakeAuditTrail = field(default_factory=FakeAuditTrail)
    faults: FakeFaultLog = field(default_factory=FakeFaultLog)

    def __post_init__(self) -> None:
        self.read = ReadForWorkload(
            authorize=AuthorizeAccess(
                self.access, self.store, self.clock, "infisical", self.hide_missing
            ),
            fetch=FetchSecret(self.store, self.clock, self.cache),
            clock=self.clock,
            audit=self.audit,
            faults=self.faults,
            request_ids=FakeRequestIds(),
            needs_token=self.needs_token,
        )

    async def get(self, reference: str, workload: Workload = CART) -> ReadOutcome:
        """Read what a reference means, within 8 seconds."""
        deadline = self.clock.monotonic() + 8
        return (await self.read(workload, parse_secret_uri(reference), deadline)).outcome

    @property
    def event(self) -> AuditEvent:
        """The one event recorded."""
        (event,) = self.audit.events
        return event
