"""The rules of one policy file, found by who asks, so that many grants cost no more than few."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain, islice, product
from typing import TYPE_CHECKING, TypeAlias

from domain.model.access import AccessPolicy
from domain.model.access_rules import nearest_refusal, permission
from domain.model.identity import AccountKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.model.access import AccessRequest, Decision
    from domain.model.access_patterns import EntityPattern
    from domain.model.access_rules import AccessRules, Grant
    from domain.model.identity import SubjectKey

_ROOT = "/"

Grants: TypeAlias = "tuple[Grant, ...]"
_WORKLOADS = AccountKey("")
"""Stands for the issuer that workloads have not, and is no key that any token is signed with."""

_Who: TypeAlias = "SubjectKey | tuple[str] | None"
"""A subject, a name (in a tuple, so that none can pose as a subject), or None for any entity."""

_Place: TypeAlias = "tuple[AccountKey, _Who, str]"
"""An issuer, whom of its entities, and a folder with all below it."""

MAX_COMPARED = 32
"""Grants among which the nearest to a refused request is looked for. `policy explain` compares
all of them; here the search would cost a refusal more than everything else of the request."""

MAX_PLACES = 1024
"""Places under which one grant is entered; one with more is entered once for each entity."""


@dataclass(frozen=True, slots=True)
class IndexedRules(AccessPolicy):
    """Allows exactly what `rules` allows, looking only at grants that could.

    A grant that lists other subjects, names, issuers or folders cannot allow a request. What is
    refused names the nearest grant as `rules` does where `MAX_COMPARED` are in question at most;
    among more it names the nearest of these, those that name the subject first.
    """

    rules: AccessRules
    _by_place: dict[_Place, Grants] = field(init=False, repr=False, compare=False)
    _by_issuer: dict[AccountKey, Grants] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: defaultdict[_Place, list[Grant]] = defaultdict(list)
        issuers: defaultdict[AccountKey, list[Grant]] = defaultdict(list)
        for grant in self.rules.grants:
            for issuer in dict.fromkeys(_issuers(grant)):
                issuers[issuer].append(grant)
            for place in dict.fromkeys(_places(grant)):
                places[place].append(grant)
        object.__setattr__(self, "_by_place", {at: tuple(found) for at, found in places.items()})
        object.__setattr__(self, "_by_issuer", {at: tuple(found) for at, found in issuers.items()})

    def decide(self, request: AccessRequest) -> Decision:
        """Decide one request; never raises."""
        return (
            self.rules.prohibition(request)
            or permission(self._likely(request), request)
            or nearest_refusal(self._compared(request), request)
        )

    @property
    def revision(self) -> object:
        """Never another: a changed file gives other rules."""
        return None

    def _likely(self, request: AccessRequest) -> Grants:
        """Return every grant that can allow the request; some of them twice."""
        if request.location is None:
            return ()
        found, caller = self._by_place, request.signed
        whose: tuple[_Who, ...] = (None,)
        if caller is not None:
            entity = caller.entity
            whose = (entity.subject, None)
            if entity.name is not None:
                whose = (entity.subject, (entity.name,), None)
        issuer = _issuer(request)
        likely: Grants = ()
        for folder in _folders(request.location.path):
            for who in whose:
                likely += found.get((issuer, who, folder), ())
        return likely

    def _compared(self, request: AccessRequest) -> Iterator[Grant]:
        # A grant that names the request's issuer at all is nearer than one that does not.
        near = self._by_issuer.get(_issuer(request), self.rules.grants)
        if len(near) <= MAX_COMPARED:
            return iter(near)
        return islice(chain(self._likely(request), near), MAX_COMPARED)


def _places(grant: Grant) -> Iterator[_Place]:
    callers = list(_callers(grant))
    folders = {path.folder for secret in grant.secrets for path in secret.paths}
    if len(callers) * len(folders) > MAX_PLACES:
        folders = {_ROOT}
    return ((*caller, folder) for caller, folder in product(callers, folders))


def _issuers(grant: Grant) -> Iterator[AccountKey]:
    # Of patterns that no entity can match as well: they may be the nearest to a refused request.
    yield from (pattern.issuer for pattern in grant.entities)
    if grant.workloads is not None:
        yield _WORKLOADS


def _callers(grant: Grant) -> Iterator[tuple[AccountKey, _Who]]:
    for pattern in grant.entities:
        for who in _whose(pattern):
            yield pattern.issuer, who
    if grant.workloads is not None:
        yield _WORKLOADS, None


def _issuer(request: AccessRequest) -> AccountKey:
    caller = request.signed
    return _WORKLOADS if caller is None else caller.entity.issuer


def _whose(pattern: EntityPattern) -> Iterable[_Who]:
    if pattern.subjects is not None:
        return pattern.subjects
    if pattern.names is not None and all(name.is_exact for name in pattern.names):
        return [(name.text,) for name in pattern.names]
    return (None,)


def _folders(path: str) -> Iterator[str]:
    """Give every folder that a path lies in, outermost first, with the slash at its end."""
    end = path.find("/")
    while end >= 0:
        yield path[: end + 1]
        end = path.find("/", end + 1)
