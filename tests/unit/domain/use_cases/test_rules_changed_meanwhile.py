"""Rules and times that change while a request waits for the store hold for its answer too."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from domain.model.access import AccessPolicy, AccessRequest, Decision
from domain.model.access_modes import AppliedPolicy
from domain.model.errors import InvalidEntityJwt, RequestError, SecretNotFound, Unauthorized
from domain.model.secret import Secret
from tests.fakes.token_verifier import fake_claims
from tests.support.core import ENTITY, Core


class Withdrawable(AccessPolicy):
    """Allows every caller until it is withdrawn, and counts how often it was asked."""

    def __init__(self) -> None:
        self.allows, self.knows_of, self.asked = True, True, 0

    @override
    def decide(self, request: AccessRequest) -> Decision:
        self.asked += 1
        reason = "granted" if self.allows else "key_not_granted"
        return Decision(self.allows, reason, "grant", self.knows_of)

    @property
    @override
    def revision(self) -> object:
        return (self.allows, self.knows_of) if not self.allows or not self.knows_of else None


@pytest.fixture
def policy() -> Withdrawable:
    return Withdrawable()


@pytest.fixture
def core(policy: Withdrawable) -> Core:
    core = Core(access=policy, hide_missing=True)
    core.store.put("/KEY", "value")
    core.store.gate.clear()
    return core


async def answer_of(core: Core, waiting: asyncio.Task[Secret | RequestError]) -> object:
    core.store.gate.set()
    return await waiting


async def asked(
    core: Core, key: str = "KEY", entity: str = ENTITY
) -> asyncio.Task[Secret | RequestError]:
    waiting = asyncio.create_task(core.get(key, entity=entity))
    await core.store.asked.wait()
    return waiting


async def test_a_rule_withdrawn_while_the_store_is_asked_withholds_the_secret(
    core: Core, policy: Withdrawable
) -> None:
    waiting = await asked(core)
    policy.allows = False

    assert isinstance(await answer_of(core, waiting), Unauthorized)
    assert (core.event.allowed, core.event.reason) == (False, "key_not_granted")
    assert core.event.version_served is None


async def test_whether_a_secret_is_missing_is_kept_from_a_caller_whose_rule_was_withdrawn(
    core: Core, policy: Withdrawable
) -> None:
    waiting = await asked(core, "ABSENT")
    policy.allows = False

    assert isinstance(await answer_of(core, waiting), Unauthorized)
    assert core.event.reason == "key_not_granted"


async def test_whether_a_secret_is_missing_is_told_as_the_present_rules_have_it(
    core: Core, policy: Withdrawable
) -> None:
    waiting = await asked(core, "ABSENT")
    policy.knows_of = False

    assert isinstance(await answer_of(core, waiting), Unauthorized)
    assert core.event.reason == "secret_not_found"


async def test_rules_that_stay_the_same_are_asked_once(core: Core, policy: Withdrawable) -> None:
    assert isinstance(await answer_of(core, await asked(core)), Secret)
    assert policy.asked == 1

    core.store.asked.clear()
    core.store.gate.clear()
    assert isinstance(await answer_of(core, await asked(core, "ABSENT")), SecretNotFound)
    assert policy.asked == 2


async def test_a_token_that_expires_while_the_store_is_asked_withholds_the_secret(
    core: Core,
) -> None:
    core.tokens.register("brief", fake_claims(expires_at=int(core.clock.now()) + 1))
    waiting = await asked(core, entity="brief")
    core.clock.advance(7)

    assert isinstance(await answer_of(core, waiting), InvalidEntityJwt)


def test_a_policy_around_another_changes_with_it() -> None:
    inner = Withdrawable()
    policy = AppliedPolicy(inner, only_observes=True)
    before = policy.revision

    inner.allows = False

    assert policy.revision != before
