"""The rules of one policy file, found by who asks, so that many grants cost no more than few."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from domain.model.access import AccessPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.access import AccessRequest, Decision
    from domain.model.access_rules import AccessRules, Grant
    from domain.model.identity import AccountKey, SubjectKey

_Key = TypeVar("_Key")
Grants: TypeAlias = "tuple[Grant, ...]"


@dataclass(frozen=True, slots=True)
class IndexedRules(AccessPolicy):
    """Decides exactly as `rules` does, looking only at grants that could make the difference.

    A grant that lists other subjects, or only other issuers, cannot allow a request; and one that
    names the request's issuer at all is nearer to it than one that does not.
    """

    rules: AccessRules
    _by_subject: dict[tuple[AccountKey, SubjectKey], Grants] = field(
        init=False, repr=False, compare=False
    )
    _by_issuer: dict[AccountKey, Grants] = field(init=False, repr=False, compare=False)
    _of_any_subject: dict[AccountKey, Grants] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        subjects: defaultdict[tuple[AccountKey, SubjectKey], list[Grant]] = defaultdict(list)
        issuers: defaultdict[AccountKey, list[Grant]] = defaultdict(list)
        of_any: defaultdict[AccountKey, list[Grant]] = defaultdict(list)
        for grant in self.rules.grants:
            for issuer in {pattern.issuer for pattern in grant.entities}:
                issuers[issuer].append(grant)
            for issuer in {pattern.issuer for pattern in grant.entities if not pattern.subjects}:
                of_any[issuer].append(grant)
            for key in {
                (p.issuer, subject) for p in grant.entities for subject in p.subjects or ()
            }:
                subjects[key].append(grant)
        object.__setattr__(self, "_by_subject", _frozen(subjects))
        object.__setattr__(self, "_by_issuer", _frozen(issuers))
        object.__setattr__(self, "_of_any_subject", _frozen(of_any))

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        entity = request.caller.entity
        likely = self._by_subject.get((entity.issuer, entity.subject), ())
        likely += self._of_any_subject.get(entity.issuer, ())
        if likely and (decision := self._decide_by(likely, request)).allowed:
            return decision
        # Only these together tell which grant was nearest.
        near = self._by_issuer.get(entity.issuer, self.rules.grants)
        return self._decide_by(near, request)

    def _decide_by(self, grants: Grants, request: AccessRequest) -> Decision:
        return replace(self.rules, grants=grants).decide(request)


def _frozen(index: Mapping[_Key, list[Grant]]) -> dict[_Key, Grants]:
    return {key: tuple(grants) for key, grants in index.items()}
