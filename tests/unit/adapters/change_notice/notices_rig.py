"""Notices over a bus in memory, and a cache that they reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from adapters.change_notice.notices import ChangeNotices
from adapters.crypto.control_messages import ControlCodec
from adapters.nats.peer_bus import NatsPeerBus
from adapters.nats.subjects import ControlSubjects
from tests.fakes.clock import FakeClock
from tests.fakes.request_ids import FakeRequestIds
from tests.unit.adapters.nats.nats_in_memory import Message, NatsInMemory

if TYPE_CHECKING:
    from domain.model.selection import Selection

SUBJECTS = ControlSubjects()
INVALIDATE, FLUSH, CHANGED = (
    SUBJECTS.of("invalidate"),
    SUBJECTS.of("flush"),
    SUBJECTS.event("changed"),
)
KEY = b"k" * 32


class Rig:
    def __init__(self) -> None:
        self.clock, self.nats = FakeClock(), NatsInMemory()
        self.forgotten: list[Selection] = []
        self.codec = ControlCodec([KEY], self.clock)
        self.notices = self.make("replica-1")

    def make(self, replica: str) -> ChangeNotices:
        bus = NatsPeerBus(self.nats.client, SUBJECTS, self.clock, self.codec)
        ids = FakeRequestIds()
        return ChangeNotices(bus, ids, self.clock, backend="infisical", replica=replica)

    def forget(self, selection: Selection) -> int:
        self.forgotten.append(selection)
        return 3

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(data) for data in self.nats.sent_to(CHANGED)]

    async def order(self, data: bytes, reply: str = "_INBOX.x") -> None:
        """Have an operator order it, by hand."""
        await self.nats.deliver(Message(FLUSH, data, reply))

    async def order_as_replica(self, data: bytes, reply: str = "_INBOX.x") -> None:
        await self.nats.deliver(Message(INVALIDATE, data, reply))
