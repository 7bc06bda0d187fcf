"""What `manifest check` asks: the rules of a policy file, and a store that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.access_policy.explain import explain
from adapters.access_policy.hypothetical_caller import (
    TokenRefusedError,
    entity_of_token,
    host_named,
)
from adapters.wadm_manifest.places import Verdict
from adapters.wadm_manifest.tree import shown
from bootstrap.cli.reporting import CommandError, read_text
from bootstrap.settings.plugins import Registry
from bootstrap.settings.variables import Variables
from domain.model.access import AccessRequest
from domain.model.identity import Caller
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.access_policy.document import PolicyDocument
    from adapters.wadm_manifest.places import Judge, Question
    from domain.model.identity import Claims
    from domain.model.transport import Requester
    from ports.store_plugin import StorePlugin
    from ports.store_shape import StoreShape


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
            raise CommandError(str(error)) from None
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


def shape_of(
    store: str,
    options: Iterable[str],
    variables: Variables | None = None,
    registry: Registry | None = None,
) -> StoreShape | None:
    """Return how a store reads what a manifest asks for; None where its plug-in does not say.

    Args:
        options: variables as NAME=VALUE, which win over `variables`.
        variables: what is set; None for the environment and `.env`.
        registry: what is installed; None for the present environment.

    Raises:
        SettingsError: no such store is installed, or it cannot be used.
        CommandError: an option or a variable cannot be used.
    """
    plugin = (Registry() if registry is None else registry).store(store)
    given = _given(plugin, options, Variables.read() if variables is None else variables)
    # A plug-in that subclasses nothing may be older than this method.
    shape = getattr(plugin, "shape", None)
    try:
        found: StoreShape | None = None if shape is None else shape(given)
    except PluginError as error:
        raise CommandError(f"{error.setting or store} {error}") from None
    return found


def _given(
    plugin: StorePlugin[Any], options: Iterable[str], variables: Variables
) -> Mapping[str, str]:
    """Return what is set of the store's settings, by the names of their fields."""
    fields = {name: field for field, names in plugin.settings.variables().items() for name in names}
    given = {
        field: text
        for name, field in reversed(fields.items())
        if (text := variables.text(name)) is not None
    }
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or name not in fields:
            raise CommandError(
                f"Write --set as NAME=VALUE with a variable of {plugin.title}: "
                f"{', '.join(sorted(fields))}."
            )
        given[fields[name]] = text
    return given
