"""xkeys over libsodium: the contract, what another implementation sealed, and hostile keys."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from adapters.crypto.nkeys_text import KeyKind, decode_public, encode_public, encode_seed
from adapters.crypto.xkeys import SodiumKeyExchange, SodiumXKeyPair
from domain.model.errors import DecryptionFailed, EncryptionFailed, InvalidXKey
from domain.model.identity import PublicXKey
from tests.contracts.key_exchange import KeyExchangeContract

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "xkeys.json").read_text()
)["cases"]

P = 2**255 - 19
# The points of order 1, 2, 4 and 8 (https://cr.yp.to/ecdh.html, "contributory behavior").
LOW_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
]


def xkey(point: int) -> PublicXKey:
    return PublicXKey(encode_public(KeyKind.XKEY, point.to_bytes(32, "little")))


class TestSodiumKeyExchange(KeyExchangeContract):
    @override
    def exchange(self) -> SodiumKeyExchange:
        return SodiumKeyExchange()

    @override
    def low_order(self) -> PublicXKey:
        return xkey(0)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_another_implementation_sealed_opens(case: dict[str, Any]) -> None:
    sender = SodiumXKeyPair.from_seed(case["sender"]["seed"])
    recipient = SodiumXKeyPair.from_seed(case["recipient"]["seed"])
    plaintext = case["plaintext_utf8"].encode()

    assert sender.public == case["sender"]["public"]
    assert recipient.open(bytes.fromhex(case["sealed_hex"]), sender.public) == plaintext
    assert recipient.open(sender.seal(plaintext, recipient.public), sender.public) == plaintext
    assert sender.open(recipient.seal(plaintext, sender.public), recipient.public) == plaintext


@given(st.binary(max_size=300))
def test_any_bytes_can_be_sealed(plaintext: bytes) -> None:
    host, server = SodiumXKeyPair.generate(), SodiumXKeyPair.generate()

    assert server.open(host.seal(plaintext, server.public), host.public) == plaintext


@given(st.integers(0, (4 + 24 + 16 + 5) * 8 - 1))
def test_a_change_of_any_bit_is_noticed(bit: int) -> None:
    host, server = SodiumXKeyPair.generate(), SodiumXKeyPair.generate()
    sealed = int.from_bytes(host.seal(b"value", server.public), "big") ^ (1 << bit)

    with pytest.raises(DecryptionFailed):
        server.open(sealed.to_bytes(4 + 24 + 16 + 5, "big"), host.public)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_do_not_open(sealed: bytes) -> None:
    host, server = SodiumXKeyPair.generate(), SodiumXKeyPair.generate()

    for message in (sealed, b"xkv1" + sealed):
        with pytest.raises(DecryptionFailed):
            server.open(message, host.public)


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_low_order_point_neither_receives_nor_sends(point: int) -> None:
    pair = SodiumXKeyPair.generate()

    with pytest.raises(EncryptionFailed):
        pair.seal(b"value", xkey(point))
    with pytest.raises(DecryptionFailed):
        pair.open(pair.seal(b"value", pair.public), xkey(point))


@pytest.mark.parametrize("point", [P, P + 1, P + 18, 2**255, 2**255 + 9, 2**256 - 1])
def test_a_second_spelling_of_a_point_is_an_invalid_xkey(point: int) -> None:
    with pytest.raises(InvalidXKey, match="canonical"):
        SodiumKeyExchange().parse_public(xkey(point))


def test_a_recorded_message_does_not_open_under_a_second_spelling_of_its_sender() -> None:
    host, server = SodiumXKeyPair.generate(), SodiumXKeyPair.generate()
    sealed = host.seal(b"value", server.public)
    raw = bytearray(decode_public(host.public)[1])
    raw[31] |= 0x80
    respelled = PublicXKey(encode_public(KeyKind.XKEY, bytes(raw)))

    with pytest.raises(DecryptionFailed):
        server.open(sealed, respelled)
    with pytest.raises(EncryptionFailed):
        server.seal(b"value", respelled)


@pytest.mark.parametrize("text", ["", "X", "no key", "\ud800"])
def test_an_unchecked_text_in_a_keys_place_gives_the_typed_errors(text: str) -> None:
    pair = SodiumXKeyPair.generate()

    with pytest.raises(EncryptionFailed):
        pair.seal(b"value", PublicXKey(text))
    with pytest.raises(DecryptionFailed):
        pair.open(pair.seal(b"value", pair.public), PublicXKey(text))


def test_a_generated_pair_comes_back_from_its_seed() -> None:
    pair = SodiumXKeyPair.generate()

    again = SodiumXKeyPair.from_seed(pair.seed_text())

    assert again.public == pair.public
    assert again.seed_text() == pair.seed_text()


@pytest.mark.parametrize(
    "seed",
    [
        "",
        encode_seed(KeyKind.ACCOUNT, bytes(32)),
        encode_public(KeyKind.XKEY, bytes(32)),
        CASES[0]["sender"]["seed"].lower(),
        CASES[0]["sender"]["seed"] + "\n",
        CASES[0]["sender"]["seed"][:-1] + "J",
    ],
)
def test_anything_but_an_xkey_seed_is_refused_without_being_repeated(seed: str) -> None:
    with pytest.raises(InvalidXKey) as caught:
        SodiumXKeyPair.from_seed(seed)

    assert caught.value.__context__ is None
    assert caught.value.reason == "invalid_seed"
    assert not seed or seed[5:].strip() not in caught.value.advice


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_pair_has_exactly_32_secret_bytes(size: int) -> None:
    with pytest.raises(InvalidXKey):
        SodiumXKeyPair(bytes(size))


def test_the_secret_half_leaves_only_by_its_own_method() -> None:
    pair = SodiumXKeyPair.generate()

    for shown in (repr(pair), str(pair), f"{pair}", f"{pair!r}", repr([pair])):
        assert pair.public in shown
        assert pair.seed_text() not in shown
    assert getattr(pair, "__dict__", {}) == {}
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(pair)
