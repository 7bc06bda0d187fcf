"""What the verifier remembers of tokens whose signatures held."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.crypto import token_verifier
from adapters.crypto.ed25519_jws import Ed25519Algorithm
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.token_verifier import MAX_REMEMBERED_LENGTH, WascapTokenVerifier
from ports.token_verifier import TokenRejectedError
from tests.contracts.token_verifier import ENTITIES
from tests.unit.adapters.crypto.forging import ISSUER, claims, sign


class CountedVerifications:
    """Counts how often a signature is really checked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        real = Ed25519Algorithm.verify

        def counted(algorithm: Ed25519Algorithm, msg: bytes, key: Any, sig: bytes) -> bool:
            self.count += 1
            return real(algorithm, msg, key, sig)

        monkeypatch.setattr(Ed25519Algorithm, "verify", counted)


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> CountedVerifications:
    return CountedVerifications(monkeypatch)


def test_a_signature_is_checked_once_and_then_remembered(
    verifications: CountedVerifications,
) -> None:
    verifier = WascapTokenVerifier()

    for _ in range(5):
        verifier.verify(sign(), ENTITIES)

    assert verifications.count == 1


def test_nothing_is_remembered_when_there_is_no_room(verifications: CountedVerifications) -> None:
    verifier = WascapTokenVerifier(remembered=0)

    for _ in range(3):
        verifier.verify(sign(), ENTITIES)

    assert verifications.count == 3


def test_the_least_recently_used_token_is_forgotten_first(
    verifications: CountedVerifications,
) -> None:
    verifier = WascapTokenVerifier(remembered=2)
    one, two, three = (sign(claims(jti=str(number))) for number in range(3))
    for token in (one, two, one, three):
        verifier.verify(token, ENTITIES)
    assert verifications.count == 3

    verifier.verify(one, ENTITIES)
    assert verifications.count == 3
    verifier.verify(two, ENTITIES)
    assert verifications.count == 4


def test_a_refused_token_is_not_remembered(verifications: CountedVerifications) -> None:
    verifier = WascapTokenVerifier()
    forged = sign(key=SigningKey(ISSUER.kind, b"x" * 32))

    for _ in range(3):
        with pytest.raises(TokenRejectedError):
            verifier.verify(forged, ENTITIES)

    assert verifications.count == 3
    assert not verifier._remembered


def test_a_remembered_token_cannot_lend_its_claims_to_another_signature() -> None:
    verifier = WascapTokenVerifier()
    token = sign()
    verifier.verify(token, ENTITIES)
    message, _, signature = token.rpartition(".")
    other = ("A" if signature[0] != "A" else "B") + signature[1:]

    with pytest.raises(TokenRejectedError) as caught:
        verifier.verify(f"{message}.{other}", ENTITIES)

    assert caught.value.reason == "bad_signature"


def test_the_memory_holds_no_token() -> None:
    verifier = WascapTokenVerifier()
    token = sign()

    verifier.verify(token, ENTITIES)

    assert token not in repr(vars(verifier))
    assert token.rpartition(".")[2] not in repr(vars(verifier))


def test_a_very_long_token_is_verified_but_not_remembered(
    verifications: CountedVerifications,
) -> None:
    verifier = WascapTokenVerifier()
    token = sign(claims(wascap={"name": "n" * MAX_REMEMBERED_LENGTH}))

    for _ in range(2):
        verifier.verify(token, ENTITIES)

    assert verifications.count == 2


def test_the_claims_must_come_from_the_bytes_that_were_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_verifier, "verified_payload", lambda *_: b"{}")

    with pytest.raises(TokenRejectedError) as caught:
        WascapTokenVerifier().verify(sign(), ENTITIES)

    assert caught.value.reason == "bad_token"
