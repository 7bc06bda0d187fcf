"""What the rules of a policy file say to the secrets of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adapters.access_policy.explain import explain
from adapters.access_policy.hypothetical_caller import (
    TokenRefusedError,
    entity_of_token,
    host_named,
)
from adapters.wadm_manifest.places import Verdict
from adapters.wadm_manifest.tree import shown
from bootstrap.cli.reporting import CommandError, read_text
from domain.model.access import AccessRequest
from domain.model.identity import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.access_policy.document import PolicyDocument
    from adapters.wadm_manifest.places import Judge, Question
    from domain.model.identity import Claims
    from domain.model.transport import Requester

ANY_COMPONENT = ""
"""Whose token it is where no component is named."""


def tokens_given(options: Iterable[str], now: float) -> dict[str, Claims]:
    """Read `--token COMPONENT=FILE` or `--token FILE` into verified claims by component.

    Raises:
        CommandError: a file cannot be read, or the service refuses the token.
    """
    claims = {}
    for option in options:
        name, equals, path = option.partition("=")
        component, file = (name, path) if equals else (ANY_COMPONENT, option)
        if component in claims or not file:
            raise CommandError("Write --token as COMPONENT=FILE, each component once, or as FILE.")
        token = read_text(Path(file), "the token")
        try:
            claims[component] = entity_of_token(token, now)
        except TokenRefusedError as error:
            problem = str(error)
        else:
            continue
        raise CommandError(problem)
    return claims


def rules_of(
    document: PolicyDocument,
    tokens: Mapping[str, Claims],
    now: float,
    requester: Requester | None,
) -> Judge:
    """Return what judges each secret by the file's rules, as the service would at `now`."""

    def judge(question: Question) -> Verdict:
        entity = tokens.get(question.asker.name) or tokens.get(ANY_COMPONENT)
        if entity is None:
            return Verdict(
                f"not judged by the rules: give --token {question.asker.name}=FILE with the token "
                "of the signed artifact",
                is_known=False,
            )
        request = AccessRequest(
            Caller(entity, host_named(None), question.application),
            question.location,
            question.use.field,
            question.use.version,
            question.properties,
            question.backend,
            now,
            requester,
        )
        decision, words = explain(document, request)
        if decision.allowed:
            return Verdict()
        who = f"asked for with the token of {shown(question.asker.name)}"
        return Verdict(f"{who}: {' '.join(words.splitlines())}")

    return judge
