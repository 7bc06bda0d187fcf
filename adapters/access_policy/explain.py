"""A decision in words: which rule made it, where that rule stands, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adapters.access_policy.document import PolicyDocument
    from domain.model.access import AccessRequest, Decision
    from domain.model.access_rules import Grant
    from domain.model.identity import Claims

    Value = Callable[[AccessRequest], object]


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


def _properties(request: AccessRequest) -> str:
    scope = request.location.scope if request.location else ()
    pairs = {**dict(scope), **(request.properties or {})}
    listed = (f"{name}={value}" for name, value in sorted(pairs.items()))
    return ", ".join(json.dumps(pair, ensure_ascii=False) for pair in listed) or "no property"


def _of_entity(read: Callable[[Claims], object]) -> Value:
    """Read what the entity's token says; a workload of wasmCloud 2 has none."""
    return lambda request: None if request.signed is None else read(request.signed.entity)


def _of_workload(read: Callable[[Workload], object]) -> Value:
    def of(request: AccessRequest) -> object:
        return read(request.caller) if isinstance(request.caller, Workload) else None

    return of


def _age(request: AccessRequest) -> str:
    if request.signed is None:
        return "no token"
    return f"a token of {request.now - request.signed.entity.issued_at:.0f} seconds"


_VALUES: Final[Mapping[str, tuple[str, Value]]] = {
    "issuer_not_trusted": ("issuer", _of_entity(lambda e: e.issuer)),
    "subject_revoked": ("subject", _of_entity(lambda e: e.subject)),
    "token_revoked": ("token id", _of_entity(lambda e: e.token_id)),
    "entity_issuer_differs": ("issuer", _of_entity(lambda e: e.issuer)),
    "entity_subject_differs": ("subject", _of_entity(lambda e: e.subject)),
    "entity_kind_differs": ("kind", _of_entity(lambda e: e.kind)),
    "entity_name_differs": ("name", _of_entity(lambda e: e.name)),
    "entity_tag_missing": ("tags", _of_entity(lambda e: ", ".join(e.tags) or None)),
    "entity_revision_too_old": ("revision", _of_entity(lambda e: e.revision)),
    "entity_hash_differs": ("hash", _of_entity(lambda e: e.artifact_hash)),
    "entity_token_too_old": ("", _age),
    "workload_environment_differs": ("environment", _of_workload(lambda w: w.environment)),
    "workload_namespace_differs": ("namespace", _of_workload(lambda w: w.namespace)),
    "workload_name_differs": ("workload", _of_workload(lambda w: w.name)),
    "account_differs": ("account", lambda r: r.requester and r.requester.account),
    "user_differs": ("user", lambda r: r.requester and r.requester.user),
    "application_differs": ("application", lambda r: r.signed and r.signed.application),
    "host_differs": ("host", lambda r: r.signed and r.signed.host.subject),
    "backend_not_granted": ("backend", lambda r: r.backend),
    "key_not_granted": ("path", lambda r: r.location and r.location.path),
    "field_not_granted": ("field", lambda r: r.field),
    "version_not_granted": ("version", lambda r: r.version),
    "property_not_granted": ("", _properties),
}
"""By reason code: what the value is called, and where it is."""


def value_judged(reason: str, request: AccessRequest) -> str | None:
    """Return such as `path "/a/B"`, or `no field`; None where a reason is about no value."""
    if reason not in _VALUES:
        return None
    name, read = _VALUES[reason]
    value = read(request)
    if not name:
        return str(value)
    # As JSON, so that a value cannot pass for a line of the explanation.
    return f"no {name}" if value is None else f"{name} {json.dumps(str(value), ensure_ascii=False)}"


OBSERVED: Final = "observed_"

ADVICE: Final[Mapping[str, str]] = {
    "granted": "a grant allows it",
    "issuer_not_trusted": "the account that signed the token is not under issuers; add it if it is "
    "a known team's",
    "subject_revoked": "the entity's key is under revoked.subjects; sign the artifact with a new "
    "module key",
    "token_revoked": "the token's id is under revoked.token_ids; sign the artifact again",
    "denied_by_rule": "a denial covers it, and denials win; change that denial, or ask for another "
    "secret",
    "no_grants": "the file grants nothing; add a grant",
    "nothing_listed": "a list in the nearest grant is empty; fill it",
    "entity_issuer_differs": "no grant names this issuer; add the entity to one",
    "entity_subject_differs": "the entity's key is not among those listed; add it",
    "entity_kind_differs": "only components are listed, or only providers; add the other kind",
    "entity_name_differs": "the token's name matches none listed, or it has none; add a pattern",
    "entity_tag_missing": "none of the token's tags matches one listed; sign it with the tag, or "
    "list one",
    "entity_revision_too_old": "the token's revision is below min_rev, or it has none; deploy the "
    "newer artifact",
    "entity_hash_differs": "the token's hash is not pinned; deploy a pinned artifact, or pin this "
    "one",
    "entity_token_too_old": "the token is older than max_token_age; sign the artifact again",
    "workload_not_named": "no grant names workloads; add the workload to one, under workloads",
    "workload_environment_differs": "the environment that the relay or agent serves is not among "
    "those listed; add it",
    "workload_namespace_differs": "the workload's namespace is not among those listed; add it",
    "workload_name_differs": "the workload's name is not among those listed; add it",
    "workload_needs_policy_file": "workloads are let through by a policy file alone; set "
    "ACCESS_POLICY_FILE",
    "account_differs": "it came from another NATS account, or the server named none; list it, or "
    "share the import",
    "user_differs": "it came from another NATS user, or the server named none; list it, or share "
    "the import",
    "application_differs": "the application (a hint) is not among those listed; add it",
    "host_differs": "the host (a hint) is not among those listed; add it",
    "backend_not_granted": "this backend's name is not among those listed; add it",
    "key_not_granted": "no listed key matches, or the request names no place; compare `path` in "
    "the audit record",
    "field_not_granted": "the field is not listed; without one a request asks for the whole value",
    "version_not_granted": "the version is not listed; without one a request asks for the latest",
    "property_not_granted": "a property, or its value, is not listed; compare `properties` and "
    "`scope_…` in the record",
    "requester_unknown": "NATS did not say who asked; import with `share: true` from another "
    "account",
    "policy_not_loaded": "no policy file has been read yet; look for `access_policy.refused` in "
    "the log",
}
"""By reason code. With `observed_` before it, a code tells what would have been refused."""


def advice_on(reason: str) -> str:
    """Return the advice for a reason code, whether enforced or only observed."""
    return ADVICE.get(reason.removeprefix(OBSERVED), "see docs/access-policy.md")
