"""Requests that are answered, and how the answer leaves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from domain.model.audit import Outcome
from domain.model.errors import (
    EncryptionFailed,
    OtherError,
    UpstreamError,
)
from domain.model.secret import Secret, SecretValue
from domain.model.transport import Operation, Request
from tests.fakes.secret_store import FakeSecretStore
from tests.support.core import ENTITY, HOST, Core, policy

if TYPE_CHECKING:
    from domain.model.identity import PublicXKey


@pytest.fixture
def core() -> Core:
    return Core()


class UnusableXKey:
    """A key pair that seals for no recipient."""

    def seal(self, plaintext: bytes, recipient: PublicXKey) -> bytes:
        raise EncryptionFailed("This key seals for no recipient.")


def operation(name: str) -> Request:
    return Request(name, b"", None, received_at=1000)


async def test_the_server_xkey_is_answered_as_plain_text(core: Core) -> None:
    reply = await core.answer.handle(operation(Operation.SERVER_XKEY))

    assert (reply.body, reply.response_xkey) == (core.current.public.encode(), None)
    assert core.event.outcome == Outcome.ANSWERED


@pytest.mark.parametrize("name", ["put", "", "GET", "get.more"])
async def test_an_unknown_operation_is_answered_with_a_typed_error(core: Core, name: str) -> None:
    reply = await core.answer.handle(operation(name))

    assert reply.response_xkey is None
    assert "server_xkey and get" in json.loads(reply.body)["error"]["Other"]


@pytest.mark.parametrize("value", ["text", "", b"\x00\xff", b""])
async def test_a_secret_comes_back_sealed_for_the_host(core: Core, value: str | bytes) -> None:
    core.store.put("/KEY", value)

    assert await core.get() == Secret("1", SecretValue(value))


async def test_each_answer_is_sealed_by_a_fresh_xkey(core: Core) -> None:
    core.store.put("/KEY", "value")
    before = len(core.key_exchange.generated)
    await core.get()
    await core.get()

    fresh = core.key_exchange.generated[before:]
    assert len({pair.public for pair in fresh}) == 2


async def test_a_request_sealed_for_a_retired_xkey_is_still_answered(core: Core) -> None:
    core.store.put("/KEY", "value")

    assert await core.get(server=core.retired.public) == Secret("1", SecretValue("value"))


async def test_the_version_and_the_field_asked_for_are_the_ones_served(core: Core) -> None:
    core.store.put("/KEY", '{"user": "old"}')
    core.store.put("/KEY", '{"user": "new"}')

    assert await core.get(field="user", version="1") == Secret("1", SecretValue("old"))
    assert await core.get(field="user") == Secret("2", SecretValue("new"))


async def test_policy_properties_choose_within_what_is_allowed() -> None:
    core = Core(store=FakeSecretStore(("prod", "dev")))
    core.store.put("/KEY", "of dev", environment="dev")

    assert await core.get(policy=policy(environment="dev")) == Secret("1", SecretValue("of dev"))


async def test_a_request_that_waited_too_long_before_it_ran_is_not_fetched_for_nobody(
    core: Core,
) -> None:
    core.store.put("/KEY", "value")
    core.store.gate.clear()
    host = core.host_keys.generate()
    message = {"key": "KEY", "context": {"entity_jwt": ENTITY, "host_jwt": HOST}}
    request = core.request(
        host.seal(json.dumps(message).encode(), core.current.public), host.public
    )
    core.clock.advance(8)

    assert isinstance(core.open_reply(await core.answer.handle(request), host), UpstreamError)


async def test_an_answer_larger_than_the_transport_carries_says_so(core: Core) -> None:
    core.store.put("/KEY", "v" * 2000)

    error = await core.get(max_reply=1024)

    assert isinstance(error, OtherError)
    assert "raise the transport's limit" in error.advice


async def test_a_failure_to_seal_is_an_encryption_error(core: Core) -> None:
    core.store.put("/KEY", "value")
    core.key_exchange.generate = UnusableXKey  # type: ignore[assignment,method-assign]  # a fault

    assert isinstance(await core.get(), EncryptionFailed)


@pytest.mark.parametrize("failure", [RuntimeError("canary"), KeyError("canary"), TimeoutError()])
async def test_what_nobody_foresaw_is_other_with_a_request_id_and_a_fault(
    core: Core, failure: Exception
) -> None:
    core.store.failure = failure

    error = await core.get()

    if isinstance(failure, TimeoutError):
        assert isinstance(error, UpstreamError)
        return
    assert isinstance(error, OtherError)
    assert "request-1" in error.advice
    assert "canary" not in error.advice
    assert core.faults.faults == [(failure, "request-1")]


async def test_a_cancelled_request_is_audited_and_stays_cancelled(core: Core) -> None:
    core.store.put("/KEY", "value")
    core.store.gate.clear()
    asking = asyncio.create_task(core.get())
    await core.store.asked.wait()
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert core.event.outcome == Outcome.CANCELLED


async def test_no_secret_leaves_while_the_audit_trail_takes_no_more(core: Core) -> None:
    core.store.put("/KEY", "value")
    core.audit.full = True

    assert isinstance(await core.get(), OtherError)
    assert core.event.reason == "audit_unavailable"
    assert core.store.queries == []


@pytest.mark.parametrize("reason", ["overloaded", "stopping"])
async def test_a_refused_request_gets_a_typed_answer_and_an_event(core: Core, reason: str) -> None:
    reply = core.answer.refuse(operation(Operation.GET), reason)

    assert "start the component again" in json.loads(reply.body)["error"]["Other"]
    assert (core.event.outcome, core.event.reason) == (Outcome.REFUSED, reason)
