"""Rules that can match nothing: not wrong, but surely not what their writer meant."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from adapters.access_policy.problems import PolicyProblem
from adapters.crypto.nkeys_text import decode_public
from adapters.crypto.wascap_claims import IDENTITY_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from collections.abc import Mapping as MappingType

    from domain.model.access_patterns import EntityPattern, SecretPattern, WorkloadPattern
    from domain.model.access_rules import AccessRules, Denial, Grant
    from domain.model.identity import SubjectKey


def idle_rules(rules: AccessRules, lines: MappingType[str, int]) -> tuple[PolicyProblem, ...]:
    """Return a warning for each grant and denial that can match no request. `lines`: where each
    rule begins, by its name.
    """
    found = [
        ("grants", grant.name, why)
        for grant in rules.grants
        if (why := _idle_grant(grant, rules.revoked_subjects))
    ]
    found += [
        ("denials", denial.name, why) for denial in rules.denials if (why := _idle_denial(denial))
    ]
    return tuple(
        PolicyProblem(lines[name], f'{kind} "{name}"', f"this rule can match nothing: {why}")
        for kind, name, why in sorted(found, key=lambda rule: lines[rule[1]])
    )


def _idle_grant(grant: Grant, revoked: frozenset[SubjectKey]) -> str | None:
    if not grant.entities and not grant.workloads:
        return f"the list of {'entities' if grant.workloads is None else 'workloads'} is empty"
    empty = _empty(
        secrets=grant.secrets,
        applications=grant.applications,
        hosts=grant.hosts,
        accounts=grant.accounts,
        users=grant.users,
    )
    return (
        next(empty, None)
        or _of_callers(grant.entities, grant.workloads, revoked)
        or _first_if_all(map(_idle_secret, grant.secrets))
    )


def _idle_denial(denial: Denial) -> str | None:
    return _of_callers(denial.entities, denial.workloads, frozenset())


def _of_callers(
    entities: Iterable[EntityPattern] | None,
    workloads: Iterable[WorkloadPattern] | None,
    revoked: frozenset[SubjectKey],
) -> str | None:
    of_entities = (_idle_entity(entity, revoked) for entity in entities or ())
    return _first_if_all(chain(of_entities, map(_idle_workload, workloads or ())))


def _idle_entity(pattern: EntityPattern, revoked: frozenset[SubjectKey]) -> Iterator[str]:
    yield from _empty(
        subjects=pattern.subjects,
        names=pattern.names,
        tags=pattern.tags,
        kinds=pattern.kinds,
        hashes=pattern.hashes,
    )
    if pattern.subjects and pattern.kinds is not None:
        kinds = {IDENTITY_KINDS.get(decode_public(subject)[0]) for subject in pattern.subjects}
        if not kinds & pattern.kinds:
            yield "no subject listed is of a kind listed"
    if pattern.subjects and pattern.subjects <= revoked:
        yield "every subject listed is revoked"


def _idle_workload(pattern: WorkloadPattern) -> Iterator[str]:
    return _empty(
        environments=pattern.environments, namespaces=pattern.namespaces, names=pattern.names
    )


def _idle_secret(pattern: SecretPattern) -> Iterator[str]:
    return _empty(
        keys=pattern.paths,
        backends=pattern.backends,
        fields=pattern.fields,
        versions=pattern.versions,
    )


def _empty(**lists: Collection[object] | None) -> Iterator[str]:
    """Yield what is wrong with each list that is there and holds nothing."""
    for member, listed in lists.items():
        if listed is not None and not listed:
            yield f"the list of {member} is empty"


def _first_if_all(alternatives: Iterable[Iterator[str]]) -> str | None:
    """Return the first reason if every alternative has one."""
    found = [next(reasons, None) for reasons in alternatives]
    return found[0] if found and all(found) else None
