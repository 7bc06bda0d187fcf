"""A host that asks for sealed secrets at a steady rate, and what it got."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from domain.model.errors import SecretsError
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.host import Host

PAUSE_SECONDS = 0.004


async def steady_gets(
    host: Host, count: int, act: Callable[[], Awaitable[None] | None], *, key: str = "KEY"
) -> Counter[str]:
    """Ask so many times, a few milliseconds apart, and act after a tenth of them.

    Returns:
        how many ended in each way: "value" if it was the right one, the class of a typed error, or
        why no reply came.
    """
    await host.client.server_xkey()
    acting: asyncio.Task[None] | None = None

    async def ask() -> str:
        try:
            secret = await host.get(key)
        except SecretsError as error:
            return type(error).__name__
        except ChannelError as error:
            return error.reason
        return str(secret.value.reveal())

    async def do() -> None:
        if (waiting := act()) is not None:
            await waiting

    requests = []
    for number in range(count):
        if number == count // 10:
            acting = asyncio.create_task(do())
        requests.append(asyncio.create_task(ask()))
        await asyncio.sleep(PAUSE_SECONDS)
    ends = await asyncio.gather(*requests)
    if acting is not None:
        await acting
    return Counter(ends)
