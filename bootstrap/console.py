"""The console's view of the service; built with ADMIN_CONSOLE alone, as are its templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.access_policy.explain import explain
from adapters.access_policy.hypothetical_caller import (
    TokenRefusedError,
    entity_of_token,
    host_named,
)
from adapters.console.reasons import OBSERVED, reasons
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
from bootstrap.plugin_contexts import replica_name
from bootstrap.version import __version__
from domain.model.access import AccessRequest
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.identity import Caller
from domain.model.reference import SecretReference
from domain.model.transport import Requester

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator, Sequence

    from prometheus_client import Metric

    from adapters.access_policy.document import PolicyDocument
    from adapters.access_policy.status import PolicyStatus
    from adapters.admin_http.address import AdminAddress
    from adapters.admin_http.readiness import Readiness
    from adapters.metrics.registry import Metrics
    from bootstrap.access import AccessControl
    from bootstrap.containers import Container
    from bootstrap.settings import Configuration
    from domain.model.access import Decision
    from domain.model.reference import SecretLocation
    from domain.use_cases.key_ring import KeyRing
    from ports.clock import Clock
    from ports.secret_store import SecretStore


MAX_LINES = 500


def judge_question(
    question: Question,
    *,
    access: AccessControl,
    store: SecretStore,
    backend: str,
    now: float,
    leeway: float,
) -> Judgement:
    """Decide as the service would, and say why; nothing of the question's token is repeated.

    Args:
        store: is asked where the secret lies, no more.
        leeway: seconds by which clocks may differ.
    """
    try:
        claims = entity_of_token(question.token, now, leeway)
    except TokenRefusedError as error:
        return Judgement(None, "", (str(error),))
    location, misplaced = _locate(question, store)
    request = AccessRequest(
        caller=Caller(claims, host_named(question.host), question.application),
        location=location,
        field=question.field,
        version=question.version,
        properties=question.properties,
        backend=backend,
        now=now,
        requester=None if question.account is None else Requester(question.account, question.user),
    )
    decision = access.policy.decide(request)
    lines = [*_lines(access, request, decision, every_grant=question.every_grant), *misplaced]
    if len(lines) > MAX_LINES:
        left = len(lines) - MAX_LINES
        lines[MAX_LINES:] = [f"{left} further lines; `policy explain --all` shows them."]
    return Judgement(decision.allowed, decision.reason, tuple(lines), _words(location))


def _locate(question: Question, store: SecretStore) -> tuple[SecretLocation | None, list[str]]:
    reference = SecretReference(question.key, question.properties, question.field)
    try:
        return store.locate(reference), []
    except (PolicyError, InvalidRequest) as error:
        return None, [f"The request names no place in the store: {error.advice}"]


def _lines(
    access: AccessControl, request: AccessRequest, decision: Decision, *, every_grant: bool
) -> Iterator[str]:
    document = None if access.file is None else access.file.document
    if decision.reason == "requester_unknown" or document is None:
        yield from reasons()[decision.reason.removeprefix(OBSERVED)].advice
        return
    by_rules, explanation = explain(document, request, every_grant=every_grant)
    if decision.allowed and not by_rules.allowed:
        yield "Nothing is enforced (AUTHORIZATION_MODE=observe). Enforced, it would be:"
    yield from explanation.split("\n")


def _words(location: SecretLocation | None) -> str:
    if location is None:
        return ""
    return ", ".join([location.path, *(f"{name} {value}" for name, value in location.scope)])


@final
class ServiceSources(Sources):
    """One replica, as its parts are now."""

    def __init__(
        self,
        container: Container,
        address: AdminAddress,
        readiness: Readiness,
        metrics: Metrics,
    ) -> None:
        configuration: Configuration = container.configuration()
        keys: KeyRing = container.keys()
        self._backend = configuration.service.backend
        self._leeway = configuration.service.clock_leeway_seconds
        self._readiness = readiness
        self._metrics = metrics
        self._store: SecretStore = container.pipeline().cache
        self._access: AccessControl = container.access()
        self._clock: Clock = container.clock()
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
            addresses=container.transport().announced,
            started_at=self._clock.now(),
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
                store=self._store,
                backend=self._backend,
                now=self._clock.now(),
                leeway=self._leeway,
            )
        )


def _policy_of(
    origin: str, mode: str, status: PolicyStatus, document: PolicyDocument | None
) -> Policy:
    problems = tuple(map(str, status.mistakes))
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
