"""Requests that cannot be opened or read, and tokens that do not hold."""

from __future__ import annotations

import pytest

from domain.model.errors import (
    DecryptionFailed,
    InvalidEntityJwt,
    InvalidHeaders,
    InvalidHostJwt,
    InvalidPayload,
    InvalidRequest,
    InvalidXKey,
    OtherError,
)
from domain.model.identity import IdentityKind
from domain.model.secret import Secret
from tests.fakes.token_verifier import fake_claims
from tests.support.core import ENTITY, HOST, Core


@pytest.fixture
def core() -> Core:
    return Core()


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
