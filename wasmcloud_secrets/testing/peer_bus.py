"""What every peer bus does: a suite for a transport's own tests."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasmcloud_secrets.extension import PeerBus

PATIENCE_SECONDS = 5.0


class PeerBusContract(ABC):
    """Subclass it in a test module, with fixtures behind the abstract methods."""

    @abstractmethod
    def bus(self) -> PeerBus:
        """Return the bus of one more process of the same backend, connected."""

    async def settled(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, for a few seconds at most."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110  a bus does not tell when it has delivered
                await asyncio.sleep(0.01)

    async def test_a_broadcast_reaches_every_other_process_and_not_its_sender(self) -> None:
        heard: dict[str, list[bytes]] = {"sender": [], "one": [], "two": []}
        buses = {name: self.bus() for name in heard}
        for name, bus in buses.items():
            await bus.subscribe("login_refused", heard[name].append)

        buses["sender"].broadcast("login_refused", b"payload")

        await self.settled(lambda: heard["one"] == heard["two"] == [b"payload"])
        assert heard["sender"] == []

    async def test_a_topic_is_heard_by_those_who_subscribe_to_it_alone(self) -> None:
        heard: list[bytes] = []
        sender, other = self.bus(), self.bus()
        await other.subscribe("one", heard.append)

        sender.broadcast("two", b"not this")
        sender.broadcast("one", b"this")

        await self.settled(lambda: bool(heard))
        assert heard == [b"this"]

    async def test_a_receiver_that_fails_goes_on_being_called(self) -> None:
        heard: list[bytes] = []

        def receive(payload: bytes) -> None:
            heard.append(payload)
            raise ValueError("a bug")

        sender, other = self.bus(), self.bus()
        await other.subscribe("topic", receive)

        sender.broadcast("topic", b"1")
        await self.settled(lambda: len(heard) == 1)
        sender.broadcast("topic", b"2")

        await self.settled(lambda: heard == [b"1", b"2"])

    async def test_a_question_is_answered_by_every_process_the_asking_one_included(self) -> None:
        one, two = self.bus(), self.bus()
        await one.subscribe("topic", lambda payload: b"one " + payload)
        await two.subscribe("topic", lambda payload: b"two " + payload)

        answers = await (await one.ask("topic", b"?")).gather(1.0)

        assert sorted(answers) == [b"one ?", b"two ?"]

    async def test_a_question_that_no_process_hears_has_no_answer(self) -> None:
        assert list(await (await self.bus().ask("topic", b"?")).gather(0.2)) == []
