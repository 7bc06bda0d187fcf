"""Grants and denials: which entities may read which secrets."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from domain.model.access import AccessPolicy, Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from domain.model.access import AccessRequest
    from domain.model.identity import AccountKey, IdentityKind, SubjectKey
    from domain.model.patterns import PathPattern, TextPattern

Condition = tuple[str, bool]
"""The reason code that a refusal by this condition gets, and whether the condition holds."""

_STAGE = 100
"""Above the number of conditions in a stage, so that a later stage is always nearer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first condition of a rule that did not hold.

    Attributes:
        depth: how many conditions held before it; the greatest depth names the nearest rule.
    """

    depth: int
    reason: str


@dataclass(frozen=True, slots=True)
class EntityPattern:
    """Entities of one issuer. What is None is not looked at; an empty collection matches nobody.

    Attributes:
        max_token_age: seconds since the token's `iat`.
    """

    issuer: AccountKey
    subjects: frozenset[SubjectKey] | None = None
    kinds: frozenset[IdentityKind] | None = None
    names: tuple[TextPattern, ...] | None = None
    tags: tuple[TextPattern, ...] | None = None
    min_revision: int | None = None
    hashes: frozenset[str] | None = None
    max_token_age: float | None = None

    def conditions(self, request: AccessRequest) -> Iterator[Condition]:
        """Give the conditions in the order they are judged."""
        entity = request.caller.entity
        yield "entity_issuer_differs", entity.issuer == self.issuer
        if self.subjects is not None:
            yield "entity_subject_differs", entity.subject in self.subjects
        if self.kinds is not None:
            yield "entity_kind_differs", entity.kind in self.kinds
        if self.names is not None:
            yield "entity_name_differs", _any_matches(self.names, entity.name)
        if self.tags is not None:
            yield (
                "entity_tag_missing",
                any(_any_matches(self.tags, tag) for tag in entity.tags),
            )
        if self.min_revision is not None:
            revision = entity.revision
            yield "entity_revision_too_old", revision is not None and revision >= self.min_revision
        if self.hashes is not None:
            yield "entity_hash_differs", entity.artifact_hash in self.hashes
        if self.max_token_age is not None:
            yield "entity_token_too_old", request.now - entity.issued_at <= self.max_token_age


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """Secrets, and how they may be read.

    Attributes:
        fields: the fields that may be asked for; None means any, and the whole value as well.
        versions: the versions that may be asked for; "any", or "latest" (no version named).
        properties: the values each policy property may have. A property that a request names must
            be listed; a listed one that shapes where the secret is must hold even when the request
            leaves it at its default.
    """

    paths: tuple[PathPattern, ...]
    backends: frozenset[str] | None = None
    fields: frozenset[str] | None = None
    versions: frozenset[str] | Literal["any", "latest"] = "any"
    properties: Mapping[str, frozenset[str]] | None = None

    def conditions(self, request: AccessRequest) -> Iterator[Condition]:
        """Give the conditions in the order they are judged."""
        location = request.location
        if self.backends is not None:
            yield "backend_not_granted", request.backend in self.backends
        yield "key_not_granted", location is not None and _any_matches(self.paths, location.path)
        if self.fields is not None:
            yield "field_not_granted", request.field in self.fields
        match self.versions:
            case "any":
                pass
            case "latest":
                yield "version_not_granted", request.version is None
            case pinned:
                yield "version_not_granted", request.version in pinned
        yield "property_not_granted", self._properties_hold(request)

    def names(self, request: AccessRequest) -> bool:
        """Say whether the request is meant, and its secret written out and not only covered."""
        location = request.location
        return (
            location is not None
            and any(path.is_exact and path.matches(location.path) for path in self.paths)
            and all(holds for _, holds in self.conditions(request))
        )

    def _properties_hold(self, request: AccessRequest) -> bool:
        if request.properties is None or request.location is None:
            return False
        allowed = self.properties or {}
        # Where the store says the secret is counts for more than what was asked for.
        effective = {**request.properties, **dict(request.location.scope)}
        return request.properties.keys() <= allowed.keys() and all(
            effective[name] in values for name, values in allowed.items() if name in effective
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """One named permission. What is None is not looked at; an empty collection matches nothing.

    Attributes:
        applications, hosts: hints, since nobody signs them.
        accounts, users: who the transport vouches for sent the request.
    """

    name: str
    entities: tuple[EntityPattern, ...]
    secrets: tuple[SecretPattern, ...]
    applications: tuple[TextPattern, ...] | None = None
    hosts: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    users: frozenset[str] | None = None

    def refusal(self, request: AccessRequest) -> Refusal | None:
        """Return the nearest condition that keeps this grant from matching, or None if it does."""
        stages = (
            [pattern.conditions(request) for pattern in self.entities],
            [self._surroundings(request)],
            [pattern.conditions(request) for pattern in self.secrets],
        )
        for stage, alternatives in enumerate(stages):
            missed = _nearest(alternatives)
            if missed is not None:
                return Refusal(stage * _STAGE + missed.depth, missed.reason)
        return None

    def names_secret(self, request: AccessRequest) -> bool:
        """Say of a request that this grant allows whether it writes the very secret out."""
        return any(pattern.names(request) for pattern in self.secrets)

    def _surroundings(self, request: AccessRequest) -> Iterator[Condition]:
        requester = request.requester
        if self.accounts is not None:
            yield "account_differs", requester is not None and requester.account in self.accounts
        if self.users is not None:
            yield "user_differs", requester is not None and requester.user in self.users
        if self.applications is not None:
            application = request.caller.application
            yield "application_differs", _any_matches(self.applications, application)
        if self.hosts is not None:
            yield "host_differs", request.caller.host.subject in self.hosts


@dataclass(frozen=True, slots=True)
class Denial:
    """One named prohibition. It looks only at what a caller cannot choose: signature and path.

    Attributes:
        entities: None means every entity.
        paths: None means every secret.
    """

    name: str
    entities: tuple[EntityPattern, ...] | None = None
    paths: tuple[PathPattern, ...] | None = None

    def matches(self, request: AccessRequest) -> bool:
        """Say whether the request is prohibited."""
        by_entity = self.entities is None or not _nearest(
            pattern.conditions(request) for pattern in self.entities
        )
        location = request.location
        by_path = self.paths is None or (
            location is not None and _any_matches(self.paths, location.path)
        )
        return by_entity and by_path


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
        for reason, refused in self._distrusted(request):
            if refused:
                return Decision(allowed=False, reason=reason)
        denied_by = sorted(denial.name for denial in self.denials if denial.matches(request))
        if denied_by:
            return Decision(allowed=False, reason="denied_by_rule", grant=denied_by[0])
        refusals = [(grant.refusal(request), grant) for grant in self.grants]
        granted_by = [grant for refusal, grant in refusals if refusal is None]
        if granted_by:
            return Decision(
                allowed=True,
                reason="granted",
                grant=min(grant.name for grant in granted_by),
                knows_of=any(grant.names_secret(request) for grant in granted_by),
            )
        missed = [
            (-refusal.depth, grant.name, refusal.reason) for refusal, grant in refusals if refusal
        ]
        _, nearest, reason = min(missed, default=(0, None, "no_grants"))
        return Decision(allowed=False, reason=reason, grant=nearest)

    def _distrusted(self, request: AccessRequest) -> Iterator[Condition]:
        entity = request.caller.entity
        yield "issuer_not_trusted", entity.issuer not in self.issuers
        yield "subject_revoked", entity.subject in self.revoked_subjects
        yield "token_revoked", entity.token_id in self.revoked_tokens


def _nearest(alternatives: Iterable[Iterable[Condition]]) -> Refusal | None:
    nearest = Refusal(-1, "nothing_listed")
    for conditions in alternatives:
        failed = (Refusal(n, reason) for n, (reason, holds) in enumerate(conditions) if not holds)
        missed = next(failed, None)
        if missed is None:
            return None
        nearest = max(nearest, missed, key=attrgetter("depth"))
    return nearest


def _any_matches(patterns: tuple[TextPattern | PathPattern, ...], text: str | None) -> bool:
    return text is not None and any(pattern.matches(text) for pattern in patterns)
