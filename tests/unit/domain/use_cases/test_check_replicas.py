"""The guard against a replica with another key."""

from __future__ import annotations

import pytest
from typing_extensions import override

from domain.model.transport import Reply
from domain.use_cases.check_replicas import ReplicaXKey, check_replicas
from domain.use_cases.key_ring import KeyRing
from ports.transport import Channel, ChannelError
from tests.fakes.key_exchange import FakeKeyExchange

KEYS = FakeKeyExchange()
CURRENT, RETIRED, OTHER = (KEYS.generate() for _ in range(3))


class OneReply(Channel):
    """Answers everything with one reply, or with silence."""

    def __init__(self, body: bytes | None) -> None:
        self._body = body

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        if self._body is None:
            raise ChannelError("No service listens.", reason="no_responders")
        return Reply(self._body)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, ReplicaXKey.NONE),
        (CURRENT.public.encode(), ReplicaXKey.SAME),
        (RETIRED.public.encode(), ReplicaXKey.RETIRED),
        (OTHER.public.encode(), ReplicaXKey.DIFFERENT),
        (b'{"error":"InvalidRequest"}', ReplicaXKey.DIFFERENT),
        (b"\xff", ReplicaXKey.DIFFERENT),
    ],
)
async def test_the_announced_key_is_compared_with_the_own_ones(
    answer: bytes | None, expected: ReplicaXKey
) -> None:
    ring = KeyRing(CURRENT, (RETIRED,))

    assert await check_replicas(OneReply(answer), KEYS, ring, 1.0) == expected
