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

    _Text = str | TextPattern | PathPattern

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
            what="everything" if denial.paths is None else _or(denial.paths),
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
    listed = _listed(environment=pattern.environments, namespace=pattern.namespaces)
    names = "every workload" if pattern.names is None else f"workload {_or(pattern.names)}"
    return ", ".join([*listed, names])


def _entity(document: PolicyDocument, pattern: EntityPattern) -> str:
    return f"{document.issuers[pattern.issuer]}: {', '.join(_conditions(pattern))}"


def _conditions(pattern: EntityPattern) -> Iterator[str]:
    if pattern.subjects is None and pattern.names is None and pattern.tags is None:
        yield "every entity"
    yield from _listed(
        key=pattern.subjects, named=pattern.names, tagged=pattern.tags, kind=pattern.kinds
    )
    if pattern.min_revision is not None:
        yield f"rev ≥ {pattern.min_revision}"
    yield from _listed(hash=pattern.hashes)
    if pattern.max_token_age is not None:
        yield f"token at most {_span(pattern.max_token_age)} old"


def _secret(pattern: SecretPattern) -> str:
    parts = [_or(pattern.paths), *_listed(field=pattern.fields)]
    if isinstance(pattern.versions, frozenset):
        parts.append(f"version {_or(pattern.versions)}")
    elif pattern.versions == "latest":
        parts.append("latest version")
    parts += _listed(backend=pattern.backends)
    properties = sorted((pattern.properties or {}).items())
    return ", ".join([*parts, *(f"{name} = {_or(allowed)}" for name, allowed in properties)])


def _surroundings(grant: Grant) -> Iterator[str]:
    listed = {"NATS account": grant.accounts, "NATS user": grant.users}
    yield from _listed(**listed)
    hints = _listed(application=grant.applications, host=grant.hosts)
    yield from (f"{hint} (hint)" for hint in hints)


def _listed(**conditions: Iterable[_Text] | None) -> Iterator[str]:
    """Yield each condition that is set: what it looks at, and what that may be."""
    for what, allowed in conditions.items():
        if allowed is not None:
            yield f"{what} {_or(allowed)}"


def _or(allowed: Iterable[_Text]) -> str:
    texts = (text if isinstance(text, str) else text.text for text in allowed)
    return " | ".join(sorted(text or '""' for text in texts)) or NOTHING


def _span(seconds: float) -> str:
    for length, unit in _UNITS:
        if not seconds % length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"
