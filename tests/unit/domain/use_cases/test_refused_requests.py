"""Requests that the rules or the store refuse."""

from __future__ import annotations

import asyncio

import pytest

from domain.model.access import TrustedIssuers
from domain.model.errors import (
    InvalidRequest,
    PolicyError,
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.identity import IdentityKind
from domain.model.secret import Secret
from tests.fakes.token_verifier import fake_claims
from tests.support.core import Core, policy


@pytest.fixture
def core() -> Core:
    return Core()


async def test_a_provider_may_ask_too(core: Core) -> None:
    core.store.put("/KEY", "value")
    core.tokens.register("provider", fake_claims(IdentityKind.PROVIDER))

    assert isinstance(await core.get(entity="provider"), Secret)


async def test_an_untrusted_issuers_entity_is_unauthorized_before_anything_is_fetched() -> None:
    core = Core(access=TrustedIssuers(frozenset({fake_claims(issuer="2").issuer})))

    assert isinstance(await core.get(), Unauthorized)
    assert core.event.reason == "issuer_not_trusted"
    assert core.store.queries == []


@pytest.mark.parametrize(
    ("key", "policy"), [("a/../b", ""), ("KEY", "nonsense"), ("absent", ""), ("", "[]")]
)
async def test_the_unauthorized_learn_nothing_else(key: str, policy: str) -> None:
    core = Core(access=TrustedIssuers(frozenset()))

    assert isinstance(await core.get(key, policy=policy), Unauthorized)


async def test_a_malformed_policy_is_a_policy_error(core: Core) -> None:
    assert isinstance(await core.get(policy="nonsense"), PolicyError)


async def test_a_property_outside_what_is_allowed_is_a_policy_error(core: Core) -> None:
    assert isinstance(await core.get(policy=policy(environment="dev")), PolicyError)
    assert isinstance(await core.get(policy=policy(no_such_property="x")), PolicyError)


async def test_a_key_with_a_second_reading_is_an_invalid_request(core: Core) -> None:
    assert isinstance(await core.get("a/../KEY"), InvalidRequest)


async def test_a_missing_secret_version_or_field_is_not_found(core: Core) -> None:
    core.store.put("/KEY", '{"user": "name"}')

    assert isinstance(await core.get("OTHER"), SecretNotFound)
    assert isinstance(await core.get(version="2"), SecretNotFound)
    assert isinstance(await core.get(field="password"), SecretNotFound)


async def test_a_field_of_a_value_that_is_no_object_is_an_invalid_request(core: Core) -> None:
    core.store.put("/KEY", "plain")

    assert isinstance(await core.get(field="user"), InvalidRequest)


async def test_the_stores_own_errors_reach_the_host_as_they_are(core: Core) -> None:
    core.store.failure = UpstreamError("Try again later.", upstream_request_id="up-1")

    error = await core.get()

    assert isinstance(error, UpstreamError)
    assert error.advice == "Try again later. (request request-1)"
    assert core.event.upstream_request_id == "up-1"


async def test_a_store_that_is_too_slow_is_an_upstream_error(core: Core) -> None:
    core.store.put("/KEY", "value")
    core.store.gate.clear()
    asking = asyncio.create_task(core.get())
    await core.store.asked.wait()
    core.clock.advance(8)

    assert isinstance(await asking, UpstreamError)
    assert (core.event.reason, core.event.duration) == ("deadline_passed", 8)
