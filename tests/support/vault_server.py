"""A local HTTP server that speaks as Vault does: a model, recordings, or broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from typing_extensions import override

from tests.support.infisical_model import Call, Result
from tests.support.infisical_server import Break
from tests.support.local_server import LocalServer
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


class VaultServer(LocalServer):
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
        connections: how many were opened.
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
        self.connections = 0

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self._tls else 'http'}://{self.address}"

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError):
            while (call := await _read_call(reader)) is not None:
                self.targets.append(call.target)
                if not await self._respond(call, writer):
                    break

    async def _respond(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answer, and say whether the connection may be used again."""
        is_read = call.method == "GET"
        breaks = self.breaks if is_read else self.login_breaks
        way = breaks.pop(0) if breaks else None
        if self.latency:
            await asyncio.sleep(self.latency)
        if way == Break.HANG:
            await asyncio.Event().wait()
        if way == Break.RESET:
            writer.transport.abort()
        if way in {Break.RESET, Break.CLOSE}:
            return False
        instead = self.instead if is_read else self.login_instead
        if instead:
            result = recorded_result(instead.pop(0))
        else:
            result = (self.answer or self.model.answer)(call)
        headers, body = result.encoded()
        lines = [f"HTTP/1.1 {result.status} Status"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        writer.write(body[: len(body) // 2] if way == Break.HALF else body)
        await writer.drain()
        return way != Break.HALF


async def _read_call(reader: asyncio.StreamReader) -> Call | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (ln.partition(":") for ln in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(method, target, headers, body)
