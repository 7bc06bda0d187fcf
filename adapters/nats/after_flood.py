"""Memory that the C library keeps for later, given back to the system once a flood is over."""

from __future__ import annotations

import asyncio
import ctypes
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.nats.transport import NatsTransport
    from ports.clock import Clock

LOOK_SECONDS: Final = 2.0


def give_back_free_memory() -> None:
    """Return every free page of the C library's heap; does nothing where it is not glibc.

    glibc gives back only what is free at the heap's end: bodies that were freed between others stay
    resident. It takes some milliseconds, and other threads run on meanwhile.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(ctypes.c_size_t(0))


async def give_memory_back(
    transport: NatsTransport, clock: Clock, give_back: Callable[[], None] = give_back_free_memory
) -> None:
    """Give memory back each time that a flood is over and its last request answered.

    Bodies that waited keep the process at its largest size otherwise, for as long as it runs.
    """
    flooded = False
    while True:
        await clock.sleep(LOOK_SECONDS)
        if transport.is_flooded or (flooded and transport.in_flight):
            flooded = True
        elif flooded:
            flooded = False
            await asyncio.to_thread(give_back)
