"""Signs of life: a worker that gives none takes requests and answers nobody.

nats-server goes on sending it a share of all requests, for minutes if it hangs, until its pings
fail as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ports.clock import Clock

BEAT: Final = b"."
BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 12.0
"""Longer than hosts wait for an answer: until then it may be the machine that is slow."""

_LOOKS: Final = 4
_READ_BYTES: Final = 4096


async def beat(tell: Callable[[], None], clock: Clock) -> None:
    """Give a sign once a second until cancelled; from the event loop, to show that it turns."""
    while True:
        tell()
        await clock.sleep(BEAT_SECONDS)


async def fell_silent(signs: asyncio.StreamReader, clock: Clock) -> bool:
    """Wait until no sign has come for 12 seconds; False if the other end was closed instead.

    It looks several times, each for a part of them: were the supervisor itself held up, one look
    would find nothing where signs are waiting.
    """
    missed = 0
    while missed < _LOOKS:
        try:
            async with clock.timeout_at(clock.monotonic() + SILENT_SECONDS / _LOOKS):
                if not await signs.read(_READ_BYTES):
                    return False
            missed = 0
        except TimeoutError:
            missed += 1
        except ConnectionError:
            return False
    return True
