"""A decision in words: which rule made it, where that rule stands, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.access_policy.reasons import advice_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.access_policy.document import PolicyDocument
    from domain.model.access import AccessRequest, Decision
    from domain.model.access_rules import Grant


def explain(document: PolicyDocument, request: AccessRequest) -> tuple[Decision, str]:
    """Decide as the service would and say why, in lines for a person.

    Returns:
        The decision and its explanation.
    """
    decision = document.rules.decide(request)
    return decision, "\n".join(_lines(document, request, decision))


def _lines(document: PolicyDocument, request: AccessRequest, decision: Decision) -> Iterator[str]:
    rule = "" if decision.grant is None else _rule(document, decision.grant)
    if decision.allowed:
        yield f"Allowed by the grant {rule}."
        grant = next(g for g in document.rules.grants if g.name == decision.grant)
        if unseen := sorted(_unseen_properties(grant, request)):
            yield (
                f"Not judged, since neither --property nor --scope gives it: {', '.join(unseen)}. "
                "Copy scope_… from the audit record to be sure."
            )
        return
    yield f"Refused: {decision.reason}."
    if decision.reason == "denied_by_rule":
        yield f"The denial is {rule}."
    elif rule:
        yield f"The nearest grant is {rule}; this condition of it does not hold."
    yield f"What to do: {advice_on(decision.reason)}."


def _rule(document: PolicyDocument, name: str) -> str:
    return f'"{name}" (line {document.lines[name]})'


def _unseen_properties(grant: Grant, request: AccessRequest) -> set[str]:
    """Return what the grant lists for this secret but the request, as given, has no value of."""
    scope = request.location.scope if request.location else ()
    seen = {*(request.properties or {}), *(name for name, _ in scope)}
    matching = (
        pattern
        for pattern in grant.secrets
        if all(holds for _, holds in pattern.conditions(request))
    )
    return {name for pattern in matching for name in pattern.properties or {}} - seen
