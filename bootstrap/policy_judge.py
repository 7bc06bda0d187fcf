"""What the rules in force say of a request that was never sent: `policy explain` in the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.access_policy.explain import explain
from adapters.access_policy.hypothetical_caller import (
    TokenRefusedError,
    entity_of_token,
    host_named,
)
from adapters.console.reasons import OBSERVED, reasons
from adapters.console.sources import Judgement
from domain.model.access import AccessRequest
from domain.model.errors import InvalidRequest, PolicyError
from domain.model.identity import Caller
from domain.model.reference import SecretReference
from domain.model.transport import Requester

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.console.sources import Question
    from bootstrap.access import AccessControl
    from domain.model.access import Decision
    from domain.model.reference import SecretLocation
    from ports.secret_store import SecretStore

MAX_LINES = 500


def judge_question(
    question: Question,
    *,
    access: AccessControl,
    store: SecretStore,
    backend: str,
    now: float,
    leeway: float,
) -> Judgement:
    """Decide as the service would, and say why; the store is asked where the secret lies, no more.

    Args:
        question: the request; nothing of its token is repeated.
        access: the rules in force.
        store: knows where a key lies.
        backend: the name that this backend is addressed by.
        leeway: seconds by which clocks may differ.
    """
    try:
        claims = entity_of_token(question.token, now, leeway)
    except TokenRefusedError as error:
        return Judgement(None, "", (str(error),))
    location, misplaced = _locate(question, store)
    request = AccessRequest(
        caller=Caller(claims, host_named(question.host), question.application),
        location=location,
        field=question.field,
        version=question.version,
        properties=question.properties,
        backend=backend,
        now=now,
        requester=None if question.account is None else Requester(question.account, question.user),
    )
    decision = access.policy.decide(request)
    lines = [*_lines(access, request, decision, every_grant=question.every_grant), *misplaced]
    if len(lines) > MAX_LINES:
        left = len(lines) - MAX_LINES
        lines[MAX_LINES:] = [f"{left} further lines; `policy explain --all` shows them."]
    return Judgement(decision.allowed, decision.reason, tuple(lines), _words(location))


def _locate(question: Question, store: SecretStore) -> tuple[SecretLocation | None, list[str]]:
    reference = SecretReference(question.key, question.properties, question.field)
    try:
        return store.locate(reference), []
    except (PolicyError, InvalidRequest) as error:
        return None, [f"The request names no place in the store: {error.advice}"]


def _lines(
    access: AccessControl, request: AccessRequest, decision: Decision, *, every_grant: bool
) -> Iterator[str]:
    document = None if access.file is None else access.file.document
    if decision.reason == "requester_unknown" or document is None:
        yield from reasons()[decision.reason.removeprefix(OBSERVED)].advice
        return
    by_rules, explanation = explain(document, request, every_grant=every_grant)
    if decision.allowed and not by_rules.allowed:
        yield "Nothing is enforced (AUTHORIZATION_MODE=observe). Enforced, it would be:"
    yield from explanation.split("\n")


def _words(location: SecretLocation | None) -> str:
    if location is None:
        return ""
    return ", ".join([location.path, *(f"{name} {value}" for name, value in location.scope)])
