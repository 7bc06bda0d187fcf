"""What a policy file grants, in one line a rule, for the person who checks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adapters.access_policy.document import PolicyDocument
    from domain.model.access_patterns import EntityPattern, SecretPattern, WorkloadPattern
    from domain.model.access_rules import Denial, Grant
    from domain.model.patterns import PathPattern, TextPattern

NO_ENTITY, NOTHING = "no entity", "nothing"

_OR = "\nor "
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


@dataclass(frozen=True, slots=True)
class RuleSummary:
    """One rule in words.

    Attributes:
        who: the entities, one pattern a line.
        what: the secrets, one pattern a line.
        only_if: further conditions on a grant, one a line; empty when there are none.
    """

    name: str
    who: str
    what: str
    only_if: str = ""


def grants_in_words(document: PolicyDocument) -> list[RuleSummary]:
    """Describe every grant, in the order of the file."""
    return [
        RuleSummary(
            name=grant.name,
            who=_callers(document, grant.entities, grant.workloads or ()),
            what=_OR.join(map(_secret, grant.secrets)) or NOTHING,
            only_if="\n".join(_surroundings(grant)),
        )
        for grant in document.rules.grants
    ]


def denials_in_words(document: PolicyDocument) -> list[RuleSummary]:
    """Describe every denial, in the order of the file."""
    return [
        RuleSummary(
            name=denial.name,
            who=_denied(document, denial),
            what="everything" if denial.paths is None else _texts(denial.paths),
        )
        for denial in document.rules.denials
    ]


def _denied(document: PolicyDocument, denial: Denial) -> str:
    if denial.entities is None and denial.workloads is None:
        return "every entity and workload"
    return _callers(document, denial.entities or (), denial.workloads or ())


def _callers(
    document: PolicyDocument,
    entities: tuple[EntityPattern, ...],
    workloads: tuple[WorkloadPattern, ...],
) -> str:
    named = [_entity(document, pattern) for pattern in entities]
    return _OR.join([*named, *map(_workload, workloads)]) or NO_ENTITY


def _workload(pattern: WorkloadPattern) -> str:
    parts = [f"environment {_texts(pattern.environments)}"]
    if pattern.namespaces is not None:
        parts.append(f"namespace {_texts(pattern.namespaces)}")
    parts.append("every workload" if pattern.names is None else f"workload {_texts(pattern.names)}")
    return ", ".join(parts)


def _entity(document: PolicyDocument, pattern: EntityPattern) -> str:
    return f"{document.issuers[pattern.issuer]}: {', '.join(_conditions(pattern))}"


def _conditions(pattern: EntityPattern) -> Iterator[str]:
    if pattern.subjects is None and pattern.names is None and pattern.tags is None:
        yield "every entity"
    if pattern.subjects is not None:
        yield f"key {_or(pattern.subjects)}"
    if pattern.names is not None:
        yield f"named {_texts(pattern.names)}"
    if pattern.tags is not None:
        yield f"tagged {_texts(pattern.tags)}"
    if pattern.kinds is not None:
        yield f"kind {_or(pattern.kinds)}"
    if pattern.min_revision is not None:
        yield f"rev ≥ {pattern.min_revision}"
    if pattern.hashes is not None:
        yield f"hash {_or(pattern.hashes)}"
    if pattern.max_token_age is not None:
        yield f"token at most {_span(pattern.max_token_age)} old"


def _secret(pattern: SecretPattern) -> str:
    parts = [_texts(pattern.paths)]
    if pattern.fields is not None:
        parts.append(f"field {_or(pattern.fields)}")
    if isinstance(pattern.versions, frozenset):
        parts.append(f"version {_or(pattern.versions)}")
    elif pattern.versions == "latest":
        parts.append("latest version")
    if pattern.backends is not None:
        parts.append(f"backend {_or(pattern.backends)}")
    for name, allowed in sorted((pattern.properties or {}).items()):
        parts.append(f"{name} = {_or(allowed)}")
    return ", ".join(parts)


def _surroundings(grant: Grant) -> Iterator[str]:
    if grant.accounts is not None:
        yield f"NATS account {_or(grant.accounts)}"
    if grant.users is not None:
        yield f"NATS user {_or(grant.users)}"
    if grant.applications is not None:
        yield f"application {_texts(grant.applications)} (hint)"
    if grant.hosts is not None:
        yield f"host {_or(grant.hosts)} (hint)"


def _texts(patterns: Iterable[TextPattern | PathPattern]) -> str:
    return _or(pattern.text for pattern in patterns)


def _or(texts: Iterable[str]) -> str:
    return " | ".join(sorted(text or '""' for text in texts)) or NOTHING


def _span(seconds: float) -> str:
    for length, unit in _UNITS:
        if not seconds % length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"
