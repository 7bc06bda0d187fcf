"""A local HTTP server that speaks as Vault does: a model, recordings, or broken on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.http_server import HttpServer, broken, write
from tests.support.infisical_model import Call, Result
from tests.support.vault_model import VaultModel
from tests.support.vault_recordings import recording

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_UNREPEATED = ("content-length", "transfer-encoding", "connection")


def recorded_result(name: str) -> Result:
    """Return a recorded answer, ready to send."""
    response = recording(name).response
    headers = {key: text for key, text in response.headers.items() if key not in _UNREPEATED}
    return Result(response.status, response.body, headers)


class VaultServer(HttpServer):
    """Listens on a free port of this machine while its context is open.

    Attributes:
        model: the server's behaviour.
        instead: names of recordings that come before the model's answers to reads.
        login_instead: the same for everything that is posted.
        breaks: what to do to the next reads instead, first come first served.
        login_breaks: the same for everything that is posted.
        answer: answers in the model's place; None leaves it to the model.
        latency: seconds before each answer.
        targets: the request targets, byte for byte, in order.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.model = VaultModel()
        self.instead: list[str] = []
        self.login_instead: list[str] = []
        self.breaks: list[str] = []
        self.login_breaks: list[str] = []
        self.answer: Callable[[Call], Result] | None = None
        self.latency = 0.0
        self.targets: list[str] = []

    @override
    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        self.targets.append(call.target)
        is_read = call.method == "GET"
        breaks = self.breaks if is_read else self.login_breaks
        way = breaks.pop(0) if breaks else None
        if self.latency:
            await asyncio.sleep(self.latency)
        if await broken(way, writer):
            return False
        instead = self.instead if is_read else self.login_instead
        if instead:
            result = recorded_result(instead.pop(0))
        else:
            result = (self.answer or self.model.answer)(call)
        return await write(result, writer, way)
