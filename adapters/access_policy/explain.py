"""A decision in words: which rule made it, where that rule stands, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.access_policy.judged import value_judged
from adapters.access_policy.reasons import advice_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.access_policy.document import PolicyDocument
    from domain.model.access import AccessRequest, Decision
    from domain.model.access_rules import Grant


def explain(
    document: PolicyDocument, request: AccessRequest, *, every_grant: bool = False
) -> tuple[Decision, str]:
    """Decide as the service would and say why, in lines for a person. `every_grant`: add a line for
    each grant: whether it allows the request, or its first condition that does not hold. Returns
    the decision and its explanation.
    """
    decision = document.rules.decide(request)
    lines = list(_lines(document, request, decision))
    if every_grant:
        lines += ["Each grant:", *_each(document, request)]
    return decision, "\n".join(lines)


def _each(document: PolicyDocument, request: AccessRequest) -> Iterator[str]:
    for grant in document.rules.grants:
        refusal = grant.refusal(request)
        found = "allows it" if refusal is None else _failing(refusal.reason, request)
        yield f"  {_rule(document, grant.name)}: {found}"


def _failing(reason: str, request: AccessRequest) -> str:
    value = value_judged(reason, request)
    return reason if value is None else f"{reason}, since the request has {value}"


def _lines(document: PolicyDocument, request: AccessRequest, decision: Decision) -> Iterator[str]:
    rule = "" if decision.grant is None else _rule(document, decision.grant)
    if decision.allowed:
        yield f"Allowed by the grant {rule}."
        grant = next(g for g in document.rules.grants if g.name == decision.grant)
        if unseen := sorted(_unseen_properties(grant, request)):
            yield (
                f"Not judged, since this question does not give it: {', '.join(unseen)}. "
                "Copy scope_… from the audit record to be sure."
            )
        return
    yield f"Refused: {decision.reason}."
    if (value := value_judged(decision.reason, request)) is not None:
        yield f"The request has {value}."
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
