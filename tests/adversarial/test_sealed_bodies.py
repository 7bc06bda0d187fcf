"""Bodies and xkeys: sealed for another, by another, damaged, replayed, or not sealed at all."""

from __future__ import annotations

import json

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import (
    DecryptionFailed,
    InvalidHeaders,
    InvalidPayload,
    InvalidXKey,
    OtherError,
)
from domain.model.secret import Secret
from domain.model.transport import Operation
from tests.adversarial.defended_core import INPUT, MAX_REQUEST_BYTES, DefendedCore
from tests.adversarial.sealed_requests import PLAIN, xkey

FIELD_PRIME = 2**255 - 19
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    FIELD_PRIME - 1,
]
"""The points whose shared secret is the same for every key (https://cr.yp.to/ecdh.html)."""


async def test_a_body_sealed_for_another_server_does_not_open(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    answer = await core.ask(PLAIN, one_time=host, sealed_for=SodiumXKeyPair.generate())

    assert isinstance(answer, DecryptionFailed)


async def test_a_stale_but_retired_xkey_still_opens_and_an_unknown_one_does_not(
    core: DefendedCore,
) -> None:
    assert isinstance(await core.ask(PLAIN, sealed_for=core.retired), Secret)
    assert isinstance(await core.ask(PLAIN, sealed_for=SodiumXKeyPair.generate()), DecryptionFailed)


async def test_a_body_under_another_hosts_name_does_not_open(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    sealed = host.seal(PLAIN, core.server.public)

    refused = await core.refused(sealed, SodiumXKeyPair.generate().public)

    assert isinstance(refused, DecryptionFailed)


async def test_the_server_reflected_at_itself_does_not_open(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    """An answer of the server is no request to it, whichever key is named as the sender."""
    one_time = host.seal(PLAIN, core.server.public)
    reply = await core.handle(one_time, host.public)

    for name in (reply.response_xkey, core.server.public, host.public):
        assert isinstance(await core.refused(reply.body, name), DecryptionFailed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed + b"\0",
        lambda sealed: sealed + sealed,
        lambda sealed: sealed[:44],
        lambda sealed: sealed[:43],
        lambda sealed: sealed[:28],
        lambda sealed: sealed[:4],
        lambda sealed: sealed[:1],
        lambda sealed: b"xkv2" + sealed[4:],
        lambda sealed: b"XKV1" + sealed[4:],
        lambda sealed: sealed[4:],
        lambda sealed: b"xkv1" + sealed,
        lambda sealed: sealed[:4] + bytes(24) + sealed[28:],
        lambda sealed: sealed[:28] + bytes(16) + sealed[44:],
        lambda sealed: sealed[:44] + sealed[45:],
        lambda sealed: sealed[::-1],
        lambda sealed: b"\0" * len(sealed),
    ],
)
async def test_a_damaged_box_does_not_open(
    core: DefendedCore, host: SodiumXKeyPair, damage: object
) -> None:
    assert callable(damage)
    sealed = damage(host.seal(PLAIN, core.server.public))

    assert isinstance(await core.refused(sealed, host.public), DecryptionFailed)
    assert core.fetches == 0


async def test_every_flipped_bit_of_a_box_is_noticed(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    sealed = host.seal(b"{}", core.server.public)

    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        assert isinstance(await core.refused(bytes(flipped), host.public), DecryptionFailed)


async def test_an_empty_box_is_no_request(core: DefendedCore) -> None:
    assert not isinstance(await core.ask(b""), Secret)
    assert core.record["reason"] == "request_malformed"


async def test_a_request_in_clear_is_not_read(core: DefendedCore, host: SodiumXKeyPair) -> None:
    assert isinstance(await core.refused(PLAIN, host.public), DecryptionFailed)
    assert "key" not in core.record


async def test_an_empty_body_is_an_invalid_payload(core: DefendedCore) -> None:
    assert isinstance(await core.refused(b"", None), InvalidPayload)


async def test_a_giant_body_is_refused_before_anything_is_done_with_it(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    sealed = host.seal(PLAIN + b" " * MAX_REQUEST_BYTES, core.server.public)

    assert isinstance(await core.refused(sealed, host.public), InvalidPayload)
    assert isinstance(await core.refused(sealed, None), InvalidPayload)


@pytest.mark.parametrize("point", LOW_ORDER)
async def test_a_low_order_xkey_agrees_on_no_secret(core: DefendedCore, point: int) -> None:
    sealed = SodiumXKeyPair.generate().seal(PLAIN, core.server.public)

    assert isinstance(await core.refused(sealed, xkey(point)), DecryptionFailed)


@pytest.mark.parametrize(
    "point", [FIELD_PRIME, FIELD_PRIME + 1, 2**255 - 1, 2**255, 2**256 - 1, 2**255 + 9]
)
async def test_an_xkey_in_a_second_spelling_is_refused(core: DefendedCore, point: int) -> None:
    sealed = SodiumXKeyPair.generate().seal(PLAIN, core.server.public)

    assert isinstance(await core.refused(sealed, xkey(point)), InvalidXKey)


XKEY = SodiumXKeyPair(b"x" * 32)
"""Not drawn: the names of tests are made of it, and each process has to find the same tests."""


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        INPUT,
        "X" * 56,
        "x" + "a" * 55,
        "\u2169" * 56,
        "X" + "\uff21" * 55,
        "X" + "A" * 54 + "\0",
        "X" + "A" * 55 + "\r\nWasmCloud-Host-Xkey: X",
        "\udcff" * 56,
        "X" * 100_000,
        XKEY.seed_text(),
        SigningKey(KeyKind.ACCOUNT, b"a" * 32).public,
        SigningKey(KeyKind.COMPONENT, b"m" * 32).public,
        XKEY.public.lower(),
        XKEY.public + "=",
        f"{XKEY.public}, {XKEY.public}",
    ],
    ids=lambda name: repr(name[:12]),
)
async def test_what_is_no_public_xkey_is_refused_without_being_repeated(
    core: DefendedCore, name: str
) -> None:
    refused = await core.refused(b"body", name)

    assert isinstance(refused, InvalidXKey)
    assert not name.strip() or name not in json.dumps(core.record)


async def test_a_missing_xkey_is_invalid_headers(core: DefendedCore) -> None:
    assert isinstance(await core.refused(b"body", None), InvalidHeaders)


@pytest.mark.parametrize(
    "operation",
    ["", "get.get", "GET", "get ", "server_xkey.", "server_xkey\0", "*", ">", "\udcff", INPUT],
)
async def test_an_unknown_operation_gets_an_error_and_no_secret(
    core: DefendedCore, host: SodiumXKeyPair, operation: str
) -> None:
    sealed = host.seal(PLAIN, core.server.public)

    assert isinstance(await core.refused(sealed, host.public, operation=operation), OtherError)
    assert core.fetches == 0


async def test_server_xkey_answers_with_the_public_key_whatever_comes_along(
    core: DefendedCore, host: SodiumXKeyPair
) -> None:
    for body in (b"", PLAIN, b"\0" * MAX_REQUEST_BYTES):
        reply = await core.handle(body, host.public, operation=Operation.SERVER_XKEY)
        assert reply.body == core.server.public.encode()
        assert reply.response_xkey is None
