"""Which callers and which secrets a rule means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from domain.model.access_conditions import all_hold, any_matches
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.model.access import AccessRequest
    from domain.model.access_conditions import Condition
    from domain.model.identity import AccountKey, IdentityKind, SubjectKey
    from domain.model.patterns import PathPattern, TextPattern


@dataclass(frozen=True, slots=True)
class EntityPattern:
    """Entities of one issuer. What is None is not looked at; an empty collection matches no entity.
    `max_token_age`: seconds since the token's `iat`.
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
        caller = request.signed
        if caller is None:
            yield "entity_issuer_differs", False
            return
        entity = caller.entity
        yield "entity_issuer_differs", entity.issuer == self.issuer
        if self.subjects is not None:
            yield "entity_subject_differs", entity.subject in self.subjects
        if self.kinds is not None:
            yield "entity_kind_differs", entity.kind in self.kinds
        if self.names is not None:
            yield "entity_name_differs", any_matches(self.names, entity.name)
        if self.tags is not None:
            yield ("entity_tag_missing", any(any_matches(self.tags, tag) for tag in entity.tags))
        if self.min_revision is not None:
            revision = entity.revision
            yield "entity_revision_too_old", revision is not None and revision >= self.min_revision
        if self.hashes is not None:
            yield "entity_hash_differs", entity.artifact_hash in self.hashes
        if self.max_token_age is not None:
            yield "entity_token_too_old", request.now - entity.issued_at <= self.max_token_age


@dataclass(frozen=True, slots=True)
class WorkloadPattern:
    """Workloads of wasmCloud 2. What is None is not looked at; an empty collection matches none."""

    environments: tuple[TextPattern, ...]
    namespaces: tuple[TextPattern, ...] | None = None
    names: tuple[TextPattern, ...] | None = None

    def conditions(self, request: AccessRequest) -> Iterator[Condition]:
        """Give the conditions in the order they are judged."""
        caller = request.caller
        if not isinstance(caller, Workload):
            yield "workload_environment_differs", False
            return
        yield "workload_environment_differs", any_matches(self.environments, caller.environment)
        if self.namespaces is not None:
            yield "workload_namespace_differs", any_matches(self.namespaces, caller.namespace)
        if self.names is not None:
            yield "workload_name_differs", any_matches(self.names, caller.name)


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
        yield "key_not_granted", location is not None and any_matches(self.paths, location.path)
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
            and all_hold(self.conditions(request))
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
