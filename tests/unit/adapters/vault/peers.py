"""A bus of several processes in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.upstream.lockout import LockoutGuard
from adapters.vault.refusals import LOCKOUT, Refusals
from ports.peer_bus import Answers, PeerBus
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ports.clock import Clock


@final
class Gathered(Answers):
    """Answers that have come already."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = answers

    @override
    async def gather(self, seconds: float) -> Sequence[bytes]:
        return self._answers


@final
class Peers(PeerBus):
    """One process's end; `peers()` makes connected ones.

    Attributes:
        sent: what this process broadcast or asked.
        is_down: whether this end is cut off.
    """

    def __init__(self, all_ends: list[Peers]) -> None:
        self._all = all_ends
        self._received: dict[str, Callable[[bytes], bytes | None]] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.is_down = False

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))
        for end in self._all:
            if end is not self and topic in end._received:
                end._received[topic](payload)

    @override
    async def subscribe(
        self,
        topic: str,
        received: Callable[[bytes], bytes | None],
        *,
        from_operators: bool = False,
    ) -> None:
        assert topic not in self._received
        self._received[topic] = received

    @override
    async def ask(self, topic: str, payload: bytes) -> Answers:
        if self.is_down:
            raise ChannelError("The bus is down; wait.", reason="down")
        self.sent.append((topic, payload))
        answers = [end._received[topic](payload) for end in self._all if topic in end._received]
        return Gathered([answer for answer in answers if answer is not None])

    @override
    async def publish(self, event: str, payload: bytes) -> None:
        raise AssertionError("stores publish nothing")


def peers(count: int = 1) -> list[Peers]:
    """Return the ends of connected processes."""
    ends: list[Peers] = []
    ends.extend(Peers(ends) for _ in range(count))
    return ends


def new_refusals(clock: Clock, bus: PeerBus, file: Path | None = None) -> Refusals:
    """Return what one process remembers of refused logins."""
    return Refusals(LockoutGuard(LOCKOUT, clock, lambda: 0.0), bus, file)
