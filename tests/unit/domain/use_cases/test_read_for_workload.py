"""Reads for workloads: decided before and after the wait, and recorded once, however they end."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from domain.model.access import (
    AccessPolicy,
    AccessRequest,
    AnyValidEntity,
    Decision,
    TrustedIssuers,
)
from domain.model.access_modes import AppliedPolicy
from domain.model.access_rules import AccessRules, Denial
from domain.model.audit import Outcome
from domain.model.errors import PolicyError, Unauthorized, UpstreamError
from domain.model.patterns import PathPattern
from domain.model.reference import SecretQuery, SecretReference
from domain.model.secret import Secret, SecretValue
from domain.model.workload import Workload
from tests.fakes.cached_secrets import FakeCachedSecrets
from tests.support.workloads import CART, Reads, workload_grant, workload_rules


class ReplacedRules(AccessPolicy):
    """Rules that a test replaces, as a changed file does."""

    def __init__(self, inner: AccessRules) -> None:
        self.inner = inner

    @override
    def decide(self, request: AccessRequest) -> Decision:
        return self.inner.decide(request)

    @property
    @override
    def revision(self) -> object:
        return self.inner


async def test_a_granted_workload_gets_the_secret_and_one_event_says_so() -> None:
    reads = Reads(workload_rules(workload_grant("/shop/*", name="own keys")))
    reads.store.put("/shop/DB", "v1")

    assert await reads.get("secret://shop/DB") == Secret("1", SecretValue("v1"))
    event = reads.event
    assert (event.operation, event.outcome, event.reason, event.grant, event.allowed) == (
        "workload.read",
        Outcome.ANSWERED,
        "granted",
        "own keys",
        True,
    )
    assert (event.caller, event.key, event.version_served) == (CART, "shop/DB", "1")
    assert event.has_left


@pytest.mark.parametrize(
    "workload",
    [
        Workload("staging", "shop", "cart"),
        Workload("prod", "other", "cart"),
        Workload("prod", "Shop", "cart"),
        Workload("", "", ""),
    ],
)
async def test_another_workload_is_refused_before_the_store_is_asked(workload: Workload) -> None:
    reads = Reads(workload_rules(workload_grant("/shop/*")))
    reads.store.put("/shop/DB", "v1")

    refused = await reads.get("secret://shop/DB", workload)

    assert isinstance(refused, Unauthorized)
    assert reads.store.queries == []
    assert (reads.event.outcome, reads.event.allowed) == (Outcome.REFUSED, False)
    assert not reads.event.has_left


async def test_a_field_a_version_and_properties_are_taken_from_the_reference() -> None:
    grant = workload_grant("/DB")
    reads = Reads(workload_rules(grant))
    reads.store.put("/DB", '{"user":"u1"}')
    reads.store.put("/DB", '{"user":"u2"}')

    found = await reads.get("secret://DB?field=user&version=1")
    refused = await reads.get("secret://DB?environment=prod")

    assert isinstance(found, Secret)
    assert found.value.reveal() == "u1"
    assert isinstance(refused, Unauthorized)
    assert refused.reason == "property_not_granted"


async def test_a_denial_of_the_path_holds_for_workloads_too() -> None:
    denial = Denial("masters", paths=(PathPattern("/master/**"),))
    reads = Reads(workload_rules(denials=(denial,)))

    refused = await reads.get("secret://master/KEY")

    assert isinstance(refused, Unauthorized)
    assert refused.reason == "denied_by_rule"


@pytest.mark.parametrize(
    "policy",
    [
        AppliedPolicy(AnyValidEntity(), admits_workloads=False, only_observes=True),
        AnyValidEntity(),
        TrustedIssuers(frozenset()),
    ],
)
async def test_without_a_policy_file_no_workload_is_served(policy: AccessPolicy) -> None:
    reads = Reads(policy)
    reads.store.put("/DB", "v")

    refused = await reads.get("secret://DB")

    assert isinstance(refused, Unauthorized)
    assert refused.reason == "workload_needs_policy_file"


async def test_observing_serves_what_the_rules_would_refuse_and_says_so() -> None:
    none = AccessRules(frozenset(), ())
    reads = Reads(AppliedPolicy(none, requires_requester=True, only_observes=True))
    reads.store.put("/DB", "v")

    assert isinstance(await reads.get("secret://DB"), Secret)
    assert reads.event.reason == "observed_no_grants"


async def test_a_grant_withdrawn_during_the_wait_ends_the_read() -> None:
    rules = ReplacedRules(workload_rules())
    reads = Reads(rules)
    reads.store.put("/DB", "v")
    reads.store.gate.clear()
    reading = asyncio.create_task(reads.get("secret://DB"))
    await reads.store.asked.wait()
    rules.inner = workload_rules(workload_grant("/other"))
    reads.store.gate.set()

    refused = await reading

    assert isinstance(refused, Unauthorized)
    assert (reads.event.allowed, reads.event.reason) == (False, "key_not_granted")


async def test_what_is_wrong_with_a_property_is_said_where_all_is_let_through() -> None:
    assert isinstance(
        await Reads(AppliedPolicy(workload_rules(), only_observes=True)).get(
            "secret://DB?region=eu"
        ),
        PolicyError,
    )


async def test_its_own_backends_name_is_taken() -> None:
    reads = Reads()
    reads.store.put("/DB", "v")

    assert isinstance(await reads.get("secret://DB?backend=infisical"), Secret)


async def test_a_store_that_needs_tokens_is_not_asked() -> None:
    reads = Reads(needs_token=True)
    reads.store.put("/DB", "v")

    refused = await reads.get("secret://DB")

    assert isinstance(refused, UpstreamError)
    assert refused.reason == "store_needs_token"
    assert reads.store.queries == []


async def test_what_is_cached_is_answered_without_the_store() -> None:
    cache = FakeCachedSecrets()
    reads = Reads(cache=cache)
    location = reads.store.locate(SecretReference("DB"))
    cache.put(SecretQuery(location, None, CART, 0.0), Secret("7", SecretValue("cached")))

    assert await reads.get("secret://DB") == Secret("7", SecretValue("cached"))
    assert reads.store.queries == []
