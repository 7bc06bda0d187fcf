"""Grants and denials: which callers may read which secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.access import AccessPolicy, Decision
from domain.model.access_conditions import Refusal, all_hold, any_matches, nearest, one_holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.model.access import AccessRequest
    from domain.model.access_conditions import Condition
    from domain.model.access_patterns import EntityPattern, SecretPattern, WorkloadPattern
    from domain.model.identity import AccountKey, SubjectKey
    from domain.model.patterns import PathPattern, TextPattern

_STAGE = 100
"""Above the number of conditions in a stage, so that a later stage is always nearer."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One named permission. What is None is not looked at; an empty collection matches nothing.

    Attributes:
        entities: callers with tokens; they never match a workload.
        workloads: callers without; None, as an empty collection, matches none.
        applications, hosts: hints, since no trusted key signs them.
        accounts, users: who the transport vouches for sent the request.
    """

    name: str
    entities: tuple[EntityPattern, ...]
    secrets: tuple[SecretPattern, ...]
    workloads: tuple[WorkloadPattern, ...] | None = None
    applications: tuple[TextPattern, ...] | None = None
    hosts: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    users: frozenset[str] | None = None

    def refusal(self, request: AccessRequest) -> Refusal | None:
        """Return the nearest condition that keeps this grant from matching, or None if it does."""
        if request.signed is None and self.workloads is None:
            # Farther than a grant for workloads that lists none, as the index has it.
            return Refusal(-2, "workload_not_named")
        if request.signed is not None and not self.entities and self.workloads is not None:
            return Refusal(-1, "entity_issuer_differs")
        stages = (
            [pattern.conditions(request) for pattern in self._callers(request)],
            [self._surroundings(request)],
            [pattern.conditions(request) for pattern in self.secrets],
        )
        for stage, alternatives in enumerate(stages):
            missed = nearest(alternatives)
            if missed is not None:
                return Refusal(stage * _STAGE + missed.depth, missed.reason)
        return None

    def allows(self, request: AccessRequest) -> bool:
        """Say whether every condition holds; cheaper than to find out which one does not."""
        return (
            one_holds(self.secrets, request)
            and one_holds(self._callers(request), request)
            and all_hold(self._surroundings(request))
        )

    def names_secret(self, request: AccessRequest) -> bool:
        """Say of a request that this grant allows whether it writes the very secret out."""
        return any(pattern.names(request) for pattern in self.secrets)

    def _callers(
        self, request: AccessRequest
    ) -> tuple[EntityPattern, ...] | tuple[WorkloadPattern, ...]:
        """Return the patterns for callers of the request's kind."""
        return self.entities if request.signed is not None else self.workloads or ()

    def _surroundings(self, request: AccessRequest) -> Iterator[Condition]:
        caller = request.signed
        requester = request.requester
        if self.accounts is not None:
            yield "account_differs", requester is not None and requester.account in self.accounts
        if self.users is not None:
            yield "user_differs", requester is not None and requester.user in self.users
        if self.applications is not None:
            application = None if caller is None else caller.application
            yield "application_differs", any_matches(self.applications, application)
        if self.hosts is not None:
            yield "host_differs", caller is not None and caller.host.subject in self.hosts


@dataclass(frozen=True, slots=True)
class Denial:
    """One named prohibition. It looks only at what a caller cannot choose: who it is, and the path.

    Attributes:
        entities: None means every entity, unless workloads are named.
        paths: None means every secret.
        workloads: None means every workload, unless entities are named.
    """

    name: str
    entities: tuple[EntityPattern, ...] | None = None
    paths: tuple[PathPattern, ...] | None = None
    workloads: tuple[WorkloadPattern, ...] | None = None

    def matches(self, request: AccessRequest) -> bool:
        """Say whether the request is prohibited."""
        location = request.location
        by_path = self.paths is None or (
            location is not None and any_matches(self.paths, location.path)
        )
        return by_path and self._means(request)

    def _means(self, request: AccessRequest) -> bool:
        if self.entities is None and self.workloads is None:
            return True
        patterns = self.workloads if request.signed is None else self.entities
        return one_holds(patterns or (), request)


@dataclass(frozen=True, slots=True)
class AccessRules(AccessPolicy):
    """The rules of one policy file. Default deny; a denial beats every grant; order is nothing."""

    issuers: frozenset[AccountKey]
    grants: tuple[Grant, ...]
    denials: tuple[Denial, ...] = ()
    revoked_subjects: frozenset[SubjectKey] = frozenset()
    revoked_tokens: frozenset[str] = frozenset()

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        return (
            self.prohibition(request)
            or permission(self.grants, request)
            or nearest_refusal(self.grants, request)
        )

    @property
    def revision(self) -> object:
        """Never another: a changed file gives other rules."""
        return None

    def prohibition(self, request: AccessRequest) -> Decision | None:
        """Return the refusal that no grant can change, if there is one."""
        for reason, refused in self._distrusted(request):
            if refused:
                return Decision(allowed=False, reason=reason)
        denied_by = [denial.name for denial in self.denials if denial.matches(request)]
        return _denied_by(min(denied_by)) if denied_by else None

    def _distrusted(self, request: AccessRequest) -> Iterator[Condition]:
        caller = request.signed
        if caller is None:
            return
        entity = caller.entity
        yield "issuer_not_trusted", entity.issuer not in self.issuers
        yield "subject_revoked", entity.subject in self.revoked_subjects
        yield "token_revoked", entity.token_id in self.revoked_tokens


def _denied_by(name: str) -> Decision:
    return Decision(allowed=False, reason="denied_by_rule", grant=name)


def permission(grants: Iterable[Grant], request: AccessRequest) -> Decision | None:
    """Return the permission that some of the grants give together; None if none allows it."""
    granted_by = [grant for grant in grants if grant.allows(request)]
    if not granted_by:
        return None
    return Decision(
        allowed=True,
        reason="granted",
        grant=min(grant.name for grant in granted_by),
        knows_of=any(grant.names_secret(request) for grant in granted_by),
    )


def nearest_refusal(grants: Iterable[Grant], request: AccessRequest) -> Decision:
    """Return the refusal by grants that do not allow it: the nearest one's, and what it lacks."""
    missed = [
        (-refusal.depth, grant.name, refusal.reason)
        for grant in grants
        if (refusal := grant.refusal(request))
    ]
    _, grant, reason = min(missed, default=(0, None, "no_grants"))
    return Decision(allowed=False, reason=reason, grant=grant)
