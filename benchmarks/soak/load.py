"""Hosts that ask all the time, and what each request came to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.model.errors import SecretsError
from ports.transport import ChannelError

if TYPE_CHECKING:
    from adapters.system.clock import SystemClock
    from tests.support.host import Host

ANSWERED: Final = "answered"
LOST: Final = frozenset({"timeout", "no_responders", "disconnected"})
"""Ends of a request to which no reply came."""

_ASKERS: Final = 20
_PAUSE_SECONDS: Final = 0.1


class End(NamedTuple):
    """One request: when it was sent and ended, in monotonic seconds, and what it came to."""

    sent: float
    ended: float
    kind: str


class Load:
    """Askers of a host, until `stop`."""

    def __init__(self, host: Host, keys: list[str], clock: SystemClock) -> None:
        self._host = host
        self._keys = keys
        self._clock = clock
        self._stopping = False
        self.ends: list[End] = []
        self._askers = [asyncio.create_task(self._ask(number)) for number in range(_ASKERS)]

    async def stop(self) -> None:
        """Let every asker have its last answer."""
        self._stopping = True
        await asyncio.gather(*self._askers)

    async def _ask(self, number: int) -> None:
        while not self._stopping:
            number += 1
            sent = self._clock.monotonic()
            try:
                await self._host.get(self._keys[number % len(self._keys)])
                kind = ANSWERED
            except SecretsError as error:
                kind = type(error).__name__
            except ChannelError as error:
                kind = error.reason
            self.ends.append(End(sent, self._clock.monotonic(), kind))
            await self._clock.sleep(_PAUSE_SECONDS)
