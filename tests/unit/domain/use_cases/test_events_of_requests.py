"""What the audit event of a request tells."""

from __future__ import annotations

import pytest

from domain.model.access import TrustedIssuers
from domain.model.audit import ServerKey
from domain.model.errors import (
    REQUEST_ERRORS,
    RequestError,
)
from domain.model.identity import Caller, IdentityKind
from tests.support.core import ENTITY, Core, policy


@pytest.fixture
def core() -> Core:
    return Core()


async def test_the_event_of_an_answer_tells_who_got_what(core: Core) -> None:
    core.store.put("/KEY", '{"user": "canary-value"}')
    await core.get(field="user", version="1")

    event = core.event
    assert (event.outcome, event.error, event.reason) == ("answered", None, "any_valid_entity")
    assert isinstance(event.caller, Caller)
    assert event.caller.entity.kind == IdentityKind.COMPONENT
    assert event.caller.application == "shop"
    assert (event.key, event.field, event.version_asked, event.version_served) == (
        "KEY",
        "user",
        "1",
        "1",
    )
    assert event.location is not None
    assert event.location.path == "/KEY"
    assert "canary-value" not in repr(event)
    assert ENTITY not in repr(event)


@pytest.mark.parametrize("kind", REQUEST_ERRORS)
async def test_every_error_is_sent_in_clear_without_the_response_xkey_header(
    core: Core, kind: type[RequestError]
) -> None:
    core.store.failure = kind("Do this.")

    error = await core.get()

    assert type(error) is kind
    assert (core.event.error, core.event.advice) == (kind.wire_name, "Do this.")


async def test_the_event_tells_what_the_rules_said_even_where_the_request_failed_later(
    core: Core,
) -> None:
    await core.get("ABSENT", policy=policy(environment="prod"))

    event = core.event
    assert (event.error, event.allowed, event.backend) == ("SecretNotFound", True, "infisical")
    assert event.properties == {"environment": "prod"}
    assert event.served_from is None


async def test_the_event_of_an_unreadable_request_names_the_backend_and_no_decision(
    core: Core,
) -> None:
    await core.send(b"", None)

    event = core.event
    assert (event.backend, event.allowed, event.properties) == ("infisical", None, None)


async def test_the_event_of_a_denied_request_says_so() -> None:
    core = Core(access=TrustedIssuers(frozenset()))
    await core.get(policy="nonsense")

    assert (core.event.allowed, core.event.properties) == (False, None)


@pytest.mark.parametrize("field", [None, "user"])
async def test_the_event_tells_where_the_answer_came_from(core: Core, field: str | None) -> None:
    core.store.put("/KEY", '{"user": "name"}')
    await core.get(field=field)

    assert core.event.served_from == "store"


async def test_the_event_keeps_what_the_store_noted_about_the_value(core: Core) -> None:
    core.store.put("/KEY", "value")
    core.store.note = "read_elsewhere"
    await core.get()

    assert core.event.note == "read_elsewhere"


async def test_the_event_tells_whether_the_server_s_present_or_a_retired_xkey_was_used(
    core: Core,
) -> None:
    await core.get("ABSENT")
    await core.get("ABSENT", server=core.retired.public)
    await core.get("ABSENT", server=core.key_exchange.generate().public)

    used = [event.server_key for event in core.audit.events]
    assert used == [ServerKey.CURRENT, ServerKey.RETIRED, None]
