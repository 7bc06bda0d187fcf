"""Reads for workloads that end without a secret, each recorded once."""

from __future__ import annotations

import asyncio

import pytest

from domain.model.audit import Outcome
from domain.model.errors import (
    InvalidRequest,
    OtherError,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
)
from tests.support.workloads import Reads


@pytest.mark.parametrize(("hide", "kind"), [(True, Unauthorized), (False, SecretNotFound)])
async def test_a_missing_secret_is_told_as_hosts_are_told(hide: bool, kind: type) -> None:
    reads = Reads(hide_missing=hide)

    refused = await reads.get("secret://NONE")

    assert type(refused) is kind
    assert reads.event.reason == "secret_not_found"


async def test_a_store_that_fails_is_a_typed_refusal() -> None:
    reads = Reads()
    reads.store.failure = StoreUnavailable("The store is down.")

    assert isinstance(await reads.get("secret://DB"), StoreUnavailable)
    assert reads.event.error == "UpstreamError"


async def test_a_store_that_hangs_is_given_up_at_the_deadline() -> None:
    reads = Reads()
    reads.store.gate.clear()
    reading = asyncio.create_task(reads.get("secret://DB"))
    await reads.store.asked.wait()
    reads.clock.advance(8)

    refused = await reading

    assert isinstance(refused, StoreUnavailable)
    assert refused.reason == "deadline_passed"


async def test_a_cancelled_read_is_recorded() -> None:
    reads = Reads()
    reads.store.gate.clear()
    reading = asyncio.create_task(reads.get("secret://DB"))
    await reads.store.asked.wait()
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert reads.event.outcome is Outcome.CANCELLED


async def test_an_unknown_failure_is_logged_and_says_nothing() -> None:
    reads = Reads()
    reads.store.failure = RuntimeError("hunter2")

    refused = await reads.get("secret://DB")

    assert isinstance(refused, OtherError)
    assert "hunter2" not in refused.advice
    assert len(reads.faults.faults) == 1


async def test_a_full_audit_trail_lets_no_secret_leave() -> None:
    reads = Reads()
    reads.store.put("/DB", "v")
    reads.audit.full = True

    refused = await reads.get("secret://DB")

    assert isinstance(refused, OtherError)
    assert reads.store.queries == []


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("secret://DB?backend=other", InvalidRequest),
        ("secret://DB?region=eu", Unauthorized),
        ("secret://DB?environment=qa", Unauthorized),
    ],
)
async def test_a_reference_that_leads_nowhere_is_refused(reference: str, kind: type) -> None:
    reads = Reads()
    reads.store.put("/DB", "v")

    assert isinstance(await reads.get(reference), kind)
    assert reads.store.queries == []
