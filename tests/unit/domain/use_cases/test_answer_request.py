"""One request, in order: each step's failure ends it with that step's error."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typing_extensions import override

from domain.model.access import AccessPolicy, AccessRequest, Decision, TrustedIssuers
from domain.model.audit import Outcome, ServerKey
from domain.model.errors import (
    REQUEST_ERRORS,
    DecryptionFailed,
    EncryptionFailed,
    InvalidEntityJwt,
    InvalidHeaders,
    InvalidHostJwt,
    InvalidPayload,
    InvalidRequest,
    InvalidXKey,
    OtherError,
    PolicyError,
    RequestError,
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.identity import Caller, IdentityKind, PublicXKey
from domain.model.replies import wire_name
from domain.model.secret import Secret, SecretValue
from domain.model.transport import Operation, Request
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.token_verifier import fake_claims
from tests.support.core import ENTITY, HOST, Core, policy


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


async def test_an_empty_body_is_an_invalid_payload(core: Core) -> None:
    host = core.host_keys.generate()

    assert isinstance(core.open_reply(await core.send(b"", host.public), host), InvalidPayload)


async def test_a_body_over_the_limit_is_an_invalid_payload_whatever_it_is(core: Core) -> None:
    host = core.host_keys.generate()
    body = b"x" * (core.max_request_bytes + 1)

    assert isinstance(core.open_reply(await core.send(body, None), host), InvalidPayload)


async def test_a_missing_header_is_invalid_headers(core: Core) -> None:
    host = core.host_keys.generate()

    assert isinstance(core.open_reply(await core.send(b"body", None), host), InvalidHeaders)


@pytest.mark.parametrize("header", ["", "X", "not a key", "\x00", "A" * 56])
async def test_a_header_that_is_no_public_xkey_is_an_invalid_xkey(core: Core, header: str) -> None:
    host = core.host_keys.generate()

    assert isinstance(core.open_reply(await core.send(b"body", header), host), InvalidXKey)


async def test_what_was_sealed_for_another_server_does_not_decrypt(core: Core) -> None:
    assert isinstance(
        await core.get(server=core.host_keys.generate().public),
        DecryptionFailed,
    )


async def test_what_another_host_sealed_does_not_decrypt(core: Core) -> None:
    host, thief = core.host_keys.generate(), core.host_keys.generate()
    sealed = host.seal(b"{}", core.current.public)

    assert isinstance(
        core.open_reply(await core.send(sealed, thief.public), thief), DecryptionFailed
    )


async def test_a_replayed_request_is_refused_and_audited(core: Core) -> None:
    host = core.host_keys.generate()
    sealed = host.seal(b"{}", core.current.public)
    first = core.open_reply(await core.send(sealed, host.public), host)
    second = core.open_reply(await core.send(sealed, host.public), host)

    assert isinstance(first, InvalidRequest)
    assert isinstance(second, OtherError)
    assert core.audit.events[-1].reason == "replayed"


@pytest.mark.parametrize(
    "plaintext", [b"", b"not json", b"{}", b"[" * 1000, b'{"key":"a","key":"b"}']
)
async def test_what_is_no_request_is_an_invalid_request(core: Core, plaintext: bytes) -> None:
    host = core.host_keys.generate()
    sealed = host.seal(plaintext, core.current.public)

    assert isinstance(core.open_reply(await core.send(sealed, host.public), host), InvalidRequest)


# Step 6: tokens.


async def test_a_bad_entity_token_is_named_before_a_bad_host_token(core: Core) -> None:
    assert isinstance(await core.get(entity="unknown", host="unknown"), InvalidEntityJwt)
    assert isinstance(await core.get(host="unknown"), InvalidHostJwt)


async def test_a_hosts_token_is_no_entitys_and_the_other_way_round(core: Core) -> None:
    assert isinstance(await core.get(entity=HOST), InvalidEntityJwt)
    assert isinstance(await core.get(host=ENTITY), InvalidHostJwt)


async def test_a_forged_signature_says_so(core: Core) -> None:
    core.tokens.register_forged("forged")

    error = await core.get(entity="forged")

    assert isinstance(error, InvalidEntityJwt)
    assert "signature" in error.advice
    assert core.event.reason == "bad_signature"


async def test_times_are_checked_at_every_request_within_the_leeway(core: Core) -> None:
    core.store.put("/KEY", "value")
    expiry = int(core.clock.now())
    core.tokens.register("soon", fake_claims(expires_at=expiry))
    core.tokens.register("later", fake_claims(IdentityKind.HOST, not_before=expiry + 10))

    assert isinstance(await core.get(entity="soon"), Secret)
    core.clock.advance(6)
    assert isinstance(await core.get(entity="soon"), InvalidEntityJwt)
    core.clock.jump(-30)
    assert isinstance(await core.get(host="later"), InvalidHostJwt)


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
    assert "max_payload" in error.advice


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
    assert (core.event.error, core.event.advice) == (wire_name(kind("")), "Do this.")


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


class Covering(AccessPolicy):
    """Allows everything, as by a wildcard or as written out."""

    def __init__(self, *, knows_of: bool) -> None:
        self._decision = Decision(allowed=True, reason="granted", grant="g", knows_of=knows_of)

    @override
    def decide(self, request: AccessRequest) -> Decision:
        return self._decision

    @property
    @override
    def revision(self) -> object:
        return self._decision


MISSING: list[dict[str, Any]] = [
    {"key": "ABSENT"},
    {"key": "KEY", "version": "7"},
    {"key": "KEY", "field": "absent"},
]


@pytest.mark.parametrize("asked", MISSING)
async def test_who_is_only_covered_by_a_wildcard_cannot_tell_absent_from_forbidden(
    asked: dict[str, Any],
) -> None:
    core = Core(access=Covering(knows_of=False), hide_missing=True)
    forbidding = Core(access=TrustedIssuers(frozenset()), hide_missing=True)
    for one in (core, forbidding):
        one.store.put("/KEY", "{}")

    hidden, refused = await core.get(**asked), await forbidding.get(**asked)

    assert isinstance(hidden, Unauthorized)
    assert isinstance(refused, Unauthorized)
    assert hidden.args == refused.args
    assert core.event.error == "Unauthorized"
    assert core.event.reason in {"secret_not_found", "field_not_found"}


@pytest.mark.parametrize("asked", MISSING)
@pytest.mark.parametrize(("knows_of", "hide"), [(True, True), (False, False)])
async def test_who_may_know_of_a_secret_is_told_that_it_is_missing(
    asked: dict[str, Any], knows_of: bool, hide: bool
) -> None:
    core = Core(access=Covering(knows_of=knows_of), hide_missing=hide)
    core.store.put("/KEY", "{}")

    assert isinstance(await core.get(**asked), SecretNotFound)
    assert core.event.error == "SecretNotFound"


async def test_hiding_what_is_missing_hides_nothing_else() -> None:
    core = Core(access=Covering(knows_of=False), hide_missing=True)
    core.store.put("/KEY", "value")

    assert await core.get() == Secret("1", SecretValue("value"))
    core.store.failure = UpstreamError("Ask again.", reason="away")
    assert isinstance(await core.get(), UpstreamError)
