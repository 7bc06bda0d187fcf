"""The console's view of the service; built with ADMIN_CONSOLE alone, as are its templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.console.sources import (
    Check,
    Judgement,
    Policy,
    Question,
    ReplicaFacts,
    Rule,
    ServerKeys,
    Sources,
)
from adapters.system.own_thread import OwnThread
from bootstrap.policy_judge import judge_question
from bootstrap.replica_name import replica_name
from bootstrap.version import __version__

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Sequence

    from prometheus_client import Metric

    from adapters.access_policy.document import PolicyDocument
    from adapters.access_policy.status import PolicyStatus
    from adapters.admin_http.address import AdminAddress
    from adapters.admin_http.readiness import Readiness
    from adapters.metrics.registry import Metrics
    from bootstrap.access import AccessControl
    from bootstrap.settings import Configuration
    from bootstrap.store_pipeline import StorePipeline
    from domain.use_cases.key_ring import KeyRing
    from ports.clock import Clock
    from ports.transport_plugin import TransportParts


@final
class ServiceSources(Sources):
    """One replica, as its parts are now."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        address: AdminAddress,
        readiness: Readiness,
        metrics: Metrics,
        transport: TransportParts,
        pipeline: StorePipeline,
        access: AccessControl,
        keys: KeyRing,
        clock: Clock,
    ) -> None:
        self._backend = configuration.service.backend
        self._leeway = configuration.service.clock_leeway_seconds
        self._readiness = readiness
        self._metrics = metrics
        self._pipeline = pipeline
        self._access = access
        self._clock = clock
        self._thread = OwnThread("console")
        self.keys = ServerKeys(keys.current.public, tuple(pair.public for pair in keys.retired))
        self.facts = ReplicaFacts(
            version=__version__,
            replica=replica_name(),
            worker=configuration.worker,
            workers=configuration.workers,
            first_port=address.port - configuration.worker,
            store=configuration.store.plugin.title,
            transport=configuration.transport.plugin.title,
            backend=self._backend,
            addresses=transport.announced,
            started_at=clock.now(),
        )

    @override
    def now(self) -> float:
        return self._clock.now()

    @override
    async def checks(self) -> Sequence[Check]:
        verdicts = await self._readiness.report()
        return [
            Check(name, verdict.ok, verdict.advice, verdict.age_seconds)
            for name, verdict in verdicts.items()
        ]

    @override
    def figures(self) -> Iterable[Metric]:
        return self._metrics.families()

    @override
    def policy(self) -> Policy:
        mode, origin = self._access.mode, self._access.origin
        file = self._access.file
        if file is None:
            issuers = tuple((issuer, "") for issuer in self._access.issuers)
            return Policy(origin=origin, mode=mode, issuers=issuers)
        return _policy_of(origin, mode, file.status, file.document)

    @override
    def judge(self, question: Question) -> asyncio.Future[Judgement]:
        # Large policies take long to explain, and requests are answered meanwhile.
        return self._thread.run(
            lambda: judge_question(
                question,
                access=self._access,
                store=self._pipeline.cache,
                backend=self._backend,
                now=self._clock.now(),
                leeway=self._leeway,
            )
        )


def _policy_of(
    origin: str, mode: str, status: PolicyStatus, document: PolicyDocument | None
) -> Policy:
    refusal = status.refusal
    problems = () if refusal is None else tuple(map(str, refusal.problems))
    if document is None:
        return Policy(origin=origin, mode=mode, problems=problems)
    rules, lines = document.rules, document.lines
    return Policy(
        origin=origin,
        mode=mode,
        digest=status.digest,
        loaded_at=status.loaded_at,
        issuers=tuple(document.issuers.items()),
        grants=tuple(Rule(grant.name, lines[grant.name]) for grant in rules.grants),
        denials=tuple(Rule(denial.name, lines[denial.name]) for denial in rules.denials),
        revoked=len(rules.revoked_subjects) + len(rules.revoked_tokens),
        problems=problems,
        warnings=tuple(map(str, document.warnings)),
    )
