"""A connection to NATS for the length of a command, from the same settings as the service's."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from adapters.nats.client import ResilientClient
    from adapters.nats.settings import NatsLoginSettings

_Answer = TypeVar("_Answer")
_LOOK_SECONDS: Final = 0.05


@asynccontextmanager
async def open_nats(group: type[NatsLoginSettings] | None = None) -> AsyncIterator[ResilientClient]:
    """Connect; only the settings of NATS are read, so the rest may be missing or wrong. `group`:
    others than those of the service.

    Raises:
        SettingsError: the settings do not allow it.
        NatsConnectError: no NATS server does.
    """
    from adapters.nats.connection import NatsConnection
    from adapters.nats.settings import NatsSettings
    from adapters.system.clock import SystemClock
    from bootstrap.plugin_contexts import USER_AGENT
    from bootstrap.settings import load_settings

    settings = load_settings(group or NatsSettings)
    async with NatsConnection(settings, SystemClock(), name=USER_AGENT) as connection:
        yield connection.client


async def unless_denied(
    asking: Awaitable[_Answer],
    denied: Callable[[], str | None],
    refusal: Callable[[str], Exception],
) -> _Answer:
    """Await an answer, and give it up as soon as the server denies a subject.

    The server says so without naming the request, which would otherwise wait for its whole time.

    Args:
        denied: returns the server's words, as `ResilientClient.denied`; None while there are none.
        refusal: returns what is raised for them.
    """
    asked = asyncio.ensure_future(asking)
    try:
        while not asked.done():
            await asyncio.wait({asked}, timeout=_LOOK_SECONDS)
            if (denial := denied()) is not None:
                raise refusal(denial)
        return asked.result()
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
