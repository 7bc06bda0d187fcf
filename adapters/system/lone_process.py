"""The bus of a process that cannot reach any other: it hears itself alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import structlog
from typing_extensions import override

from ports.peer_bus import Answers, PeerBus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = structlog.get_logger()


@final
class LoneProcess(PeerBus):
    """Stands in where the transport has no way from one process to another."""

    def __init__(self) -> None:
        self._received: dict[str, list[Callable[[bytes], bytes | None]]] = {}

    @override
    def broadcast(self, topic: str, payload: bytes) -> None:
        """Do nothing: there is no other process."""

    @override
    async def subscribe(
        self,
        topic: str,
        received: Callable[[bytes], bytes | None],
        *,
        from_operators: bool = False,
    ) -> None:
        self._received.setdefault(topic, []).append(received)

    @override
    async def ask(self, topic: str, payload: bytes) -> Answers:
        answers = [_answer(received, payload) for received in self._received.get(topic, ())]
        return KnownAnswers([answer for answer in answers if answer is not None])

    @override
    async def publish(self, event: str, payload: bytes) -> None:
        """Do nothing: the log has the event, and no operator can subscribe here."""


@final
class KnownAnswers(Answers):
    """Answers that have come already."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = answers

    @override
    async def gather(self, seconds: float) -> Sequence[bytes]:
        return self._answers


def _answer(received: Callable[[bytes], bytes | None], payload: bytes) -> bytes | None:
    try:
        return received(payload)
    except Exception as error:  # noqa: BLE001  as the port promises
        _log.error("peer_bus.receiver_failed", error=type(error).__name__)
        return None
