"""An intake on a connection that notes what is published."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from adapters.nats.answering import Answering
from adapters.nats.intake import Intake
from domain.model.transport import Reply, Request
from tests.fakes.clock import FakeClock
from tests.fakes.transport import FakeHandler

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.nats.client import ResilientClient

MAX_BODY = 1000
PATIENCE = 8.0


@dataclass
class FakeConnection:
    """Keeps what is posted."""

    reads: int = 0
    max_payload: int = 1024 * 1024
    posted: list[tuple[bytes, bytes]] = field(default_factory=list)

    def publish_raw(self, subject: bytes, body: bytes, header_block: bytes = b"") -> None:
        del header_block
        self.posted.append((subject, body))


class Slow(FakeHandler):
    """Each answer takes some of the fake clock's time."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    @override
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        self._clock.advance(self._seconds)
        return super().begin(request)


class Stage:
    """An intake on fakes."""

    def __init__(self, seconds: float = 0.001, room: int = 10_000_000, places: int = 100) -> None:
        self.clock, self.connection = FakeClock(), FakeConnection()
        client = cast("ResilientClient", self.connection)
        self.answering = Answering(client, places)
        self.handler = self.answering.handler = Slow(self.clock, seconds)
        self.intake = Intake(
            client,
            self.answering,
            self.clock,
            max_body_bytes=MAX_BODY,
            patience_seconds=PATIENCE,
            max_backlog_bytes=room,
        )

    def send(self, peer: str, count: int = 1, *, operation: str = "get", size: int = 10) -> None:
        for number in range(count):
            request = Request(operation, b"x" * size, None, self.clock.monotonic())
            self.intake.take(request, f"_INBOX.{peer}.{number}".encode(), None)

    def answers(self, peer: str) -> list[bytes]:
        start = f"_INBOX.{peer}.".encode()
        return [body for subject, body in self.connection.posted if subject.startswith(start)]

    def refused(self, peer: str) -> int:
        return self.answers(peer).count(b"refused as overloaded")

    async def work_off(self) -> None:
        await asyncio.gather(*self.intake.workers)
