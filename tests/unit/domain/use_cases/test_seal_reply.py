"""An answer is sealed for its host, and refused where the transport cannot carry it."""

from __future__ import annotations

import pytest

from adapters.crypto.xkeys import SodiumKeyExchange
from domain.model.errors import OtherError
from domain.model.identity import PublicXKey
from domain.model.replies import write_secret
from domain.model.secret import Secret, SecretValue
from domain.use_cases.seal_reply import SealReply

SECRET = Secret("1", SecretValue("v" * 200))
WRITTEN = len(write_secret(SECRET))
HOST = SodiumKeyExchange().generate()
SEALED = len(HOST.seal(write_secret(SECRET), HOST.public))


@pytest.mark.parametrize("most", [None, SEALED, SEALED + 1])
def test_an_answer_that_the_transport_carries_opens_to_the_secret(most: int | None) -> None:
    reply = SealReply(SodiumKeyExchange()).reply(SECRET, HOST.public, most)

    assert reply.response_xkey is not None
    assert len(reply.body) == SEALED
    assert HOST.open(reply.body, PublicXKey(reply.response_xkey)) == write_secret(SECRET)


@pytest.mark.parametrize(
    ("most", "size"),
    [(1, WRITTEN), (WRITTEN - 1, WRITTEN), (WRITTEN, SEALED), (SEALED - 1, SEALED)],
)
def test_one_that_is_too_large_is_refused_with_its_size_sealed_or_not(most: int, size: int) -> None:
    with pytest.raises(OtherError) as refused:
        SealReply(SodiumKeyExchange()).reply(SECRET, HOST.public, most)

    assert refused.value.reason == "reply_too_large"
    assert f"has {size} bytes and the transport carries {most};" in refused.value.advice
