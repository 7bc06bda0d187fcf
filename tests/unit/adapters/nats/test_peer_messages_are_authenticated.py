"""Messages between replicas: accepted from replicas alone, once, whatever clients publish."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.crypto.control_messages import ControlCodec
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.subjects import ControlSubjects
from tests.fakes.clock import FakeClock
from tests.unit.adapters.nats.nats_in_memory import Message, NatsInMemory

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECTS = ControlSubjects()
TOPIC = "login_refused"
SUBJECT = SUBJECTS.of(TOPIC)
KEY, OTHER = b"k" * 32, b"o" * 32


class Replica:
    """One replica that hears a topic."""

    def __init__(self, nats: NatsInMemory) -> None:
        self.clock = FakeClock()
        self.codec = ControlCodec([KEY], self.clock)
        self.nats = nats
        self.bus = NatsPeerBus(nats.client, SUBJECTS, self.clock, self.codec)
        self.heard: list[bytes] = []

    async def listen(self, *, from_operators: bool = False) -> None:
        await self.bus.subscribe(TOPIC, self._hear, from_operators=from_operators)

    def _hear(self, payload: bytes) -> bytes:
        self.heard.append(payload)
        return b"answer"


@pytest.fixture
def replica() -> Replica:
    return Replica(NatsInMemory())


async def test_a_replica_hears_another(replica: Replica) -> None:
    await replica.listen()
    NatsPeerBus(replica.nats.client, SUBJECTS, replica.clock, replica.codec).broadcast(
        TOPIC, b"refused"
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert replica.heard == [b"refused"]


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda replica: b"refused", "malformed"),
        (
            lambda replica: ControlCodec([OTHER], replica.clock).wrap(SUBJECT, b"refused"),
            "forged",
        ),
        (
            lambda replica: replica.codec.wrap(SUBJECTS.of("invalidate"), b"refused"),
            "forged",
        ),
        (
            lambda replica: ControlCodec([KEY], FakeClock(0)).wrap(SUBJECT, b"refused"),
            "outdated",
        ),
    ],
    ids=["plain", "another key", "another subject", "another time"],
)
async def test_a_forged_message_is_neither_heard_nor_answered(
    replica: Replica, forge: Callable[[Replica], bytes], reason: str
) -> None:
    await replica.listen()

    with capture_logs() as log:
        await replica.nats.deliver(Message(SUBJECT, forge(replica), "_INBOX.x"))

    assert replica.heard == []
    assert replica.nats.sent_to("_INBOX.x") == []
    assert [entry["reason"] for entry in log] == [reason]


async def test_a_message_that_is_sent_again_is_heard_once(replica: Replica) -> None:
    await replica.listen()
    message = replica.codec.wrap(SUBJECT, b"refused")

    for _ in range(3):
        await replica.nats.deliver(Message(SUBJECT, message))

    assert replica.heard == [b"refused"]


async def test_an_operator_who_holds_no_key_is_heard_where_operators_are_meant(
    replica: Replica,
) -> None:
    await replica.listen(from_operators=True)
    await replica.nats.deliver(Message(SUBJECT, b"order", "_INBOX.x"))

    assert replica.heard == [b"order"]
    assert replica.nats.sent_to("_INBOX.x") == [b"answer"]


@pytest.mark.parametrize(
    "reply_to",
    [
        "other.prefix.v1alpha1.infisical.get",
        "wasmcloud.secrets.audit.v1",
        "wasmcloud.secrets.audit.refused.v1",
        "$KV.WASMCLOUD_SECRETS.KEY",
        "_INBOX.secrets-backend.Xx12.7",
        "_INBOX." + "x" * 1100,
        "",
    ],
)
async def test_an_operators_order_cannot_have_the_answer_sent_where_others_listen(
    reply_to: str,
) -> None:
    nats, clock = NatsInMemory(), FakeClock()
    subjects, heard = ControlSubjects(prefix="other.prefix"), list[bytes]()
    bus = NatsPeerBus(nats.client, subjects, clock, own_inbox="_INBOX.secrets-backend")

    def hear(payload: bytes) -> bytes:
        heard.append(payload)
        return b"answer"

    await bus.subscribe("flush", hear, from_operators=True)
    await nats.deliver(Message(subjects.of("flush"), b"order", reply_to))

    assert heard == [b"order"]
    assert nats.sent_to(reply_to) == []
