"""Conditions of an access rule, judged in order, and the first one that does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.model.access import AccessRequest
    from domain.model.patterns import PathPattern, TextPattern

Condition: TypeAlias = tuple[str, bool]
"""The reason code that a refusal by this condition gets, and whether the condition holds."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first condition of a rule that did not hold. `depth`: how many conditions held before it;
    the greatest depth names the nearest rule.
    """

    depth: int
    reason: str


def all_hold(conditions: Iterable[Condition]) -> bool:
    """Say whether none of them fails; the first that does ends the judging."""
    # A loop of its own: under a thousand grants a generator more for each is felt.
    for _, holds in conditions:  # noqa: SIM110  see above
        if not holds:
            return False
    return True


def nearest(alternatives: Iterable[Iterable[Condition]]) -> Refusal | None:
    """Return the failure that comes latest among alternatives; None if one of them holds."""
    nearest = Refusal(-1, "nothing_listed")
    for conditions in alternatives:
        failed = (Refusal(n, reason) for n, (reason, holds) in enumerate(conditions) if not holds)
        missed = next(failed, None)
        if missed is None:
            return None
        nearest = max(nearest, missed, key=attrgetter("depth"))
    return nearest


class _Conditional(Protocol):
    def conditions(self, request: AccessRequest) -> Iterator[Condition]: ...


def one_holds(patterns: Iterable[_Conditional], request: AccessRequest) -> bool:
    """Say whether all conditions of one of the patterns hold."""
    for pattern in patterns:  # noqa: SIM110  as in `all_hold`
        if all_hold(pattern.conditions(request)):
            return True
    return False


def any_matches(patterns: Iterable[TextPattern | PathPattern], text: str | None) -> bool:
    """Say whether one of the patterns matches; none matches what is absent."""
    if text is None:
        return False
    for pattern in patterns:  # noqa: SIM110  as in `all_hold`
        if pattern.matches(text):
            return True
    return False
