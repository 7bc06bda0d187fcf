"""How long a server may be silent, whatever the event loop's clock says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http1.connection import HttpConnection
from adapters.upstream.http1.responses import WholeResponse

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse

PATIENCE = 5.0


class Wire(asyncio.Transport):
    """Takes what is written and sends nothing back."""

    @override
    def write(self, data: object) -> None:
        """Let the request go nowhere."""

    @override
    def abort(self) -> None:
        """Have nothing to close."""


class Rig:
    """Attributes: `connection` that a request was sent on at `now`; `outcome` of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: float, first: float) -> None:
        loop = asyncio.get_running_loop()
        self.now = now
        monkeypatch.setattr(loop, "time", lambda: self.now)
        self.outcome: asyncio.Future[UpstreamResponse] = loop.create_future()
        self.connection = HttpConnection()
        self.connection.connection_made(Wire())
        reader = WholeResponse("GET", 100, self.outcome)
        self.connection.start(b"GET / HTTP/1.1\r\n\r\n", reader, first, PATIENCE)

    async def at(self, now: float) -> None:
        """Let timers run that are due by then."""
        self.now = now
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def failure(self) -> Failure:
        error = self.outcome.exception()
        assert isinstance(error, TransportError)
        return error.failure


@pytest.mark.parametrize("now", [0.5, 1_000_000.0], ids=["just after boot", "later"])
async def test_a_first_silence_is_as_long_as_it_may_be(
    monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    rig = Rig(monkeypatch, now, first=1.5)
    await rig.at(now + 1.4)
    assert not rig.outcome.done()
    await rig.at(now + 1.6)

    assert rig.failure is Failure.TIMED_OUT


async def test_each_piece_begins_another_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, 0.0, first=1.5)
    rig.connection.data_received(b"HTTP/1.1 200 OK\r\n")
    await rig.at(4.0)
    rig.connection.data_received(b"Content-Length: 2\r\n\r\no")
    await rig.at(8.0)
    assert not rig.outcome.done()
    await rig.at(9.1)

    assert rig.failure is Failure.TIMED_OUT
