"""A core that answers as a transport's test wants."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from wasmcloud_secrets.extension import Reply, RequestHandler

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from wasmcloud_secrets.extension import Request


class EchoHandler(RequestHandler):
    """Echoes what it gets; what begins with "slow" waits for `gate`, what ends with "bug" fails.

    Attributes:
        arrived: every request handed to `begin`, in order.
        refused: what `refuse` was called with.
        gate: set it to let the slow ones go on.
    """

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Request] = asyncio.Queue()
        self.refused: list[tuple[Request, str]] = []
        self.gate = asyncio.Event()

    @override
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        self.arrived.put_nowait(request)
        if request.operation.startswith("slow"):
            return self._wait(request)
        return _echo(request)

    async def _wait(self, request: Request) -> Reply:
        await self.gate.wait()
        return _echo(request)

    @override
    def refuse(self, request: Request, reason: str) -> Reply:
        self.refused.append((request, reason))
        return Reply(f"refused as {reason}".encode())


def _echo(request: Request) -> Reply:
    if request.operation.endswith("bug"):
        raise ValueError("a bug")
    return Reply(b"echo " + request.body, request.host_xkey)
