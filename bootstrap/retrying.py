"""What is tried again at growing intervals, since it may heal without this service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from ports.transport_plugin import TransportRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.system.service_manager import ServiceManager
    from ports.clock import Clock
    from ports.transport_plugin import TransportParts

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 30.0

_log = structlog.get_logger()


def retry_pauses() -> Iterator[float]:
    """Return the seconds before each further try: 1, 2, 4 and so on up to 30."""
    pause = _FIRST_SECONDS
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST_SECONDS)


async def open_patiently(part: TransportParts, clock: Clock, manager: ServiceManager) -> None:
    """Open a transport, again and again while the other side is there and refuses this service.

    Raises:
        TransportFailedError: it cannot be opened for another reason.
    """
    for pause in retry_pauses():
        try:
            await part.open()
        except TransportRefusedError as error:
            _log.warning("service.not_ready", again_in_seconds=pause, advice=str(error))
            manager.still_starting("Not connected; see the log", pause)
        else:
            return
        await clock.sleep(pause)
