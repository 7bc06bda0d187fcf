"""Host names: several addresses, one lookup for all that wait, and names that lead nowhere."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from adapters.upstream.engine import Failure, TransportError
from tests.integration.upstream.http_stage import Client, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


async def test_of_several_addresses_the_first_that_answers_is_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, port = asyncio.get_running_loop(), int(server.address.rpartition(":")[2])
    lookups = 0

    async def resolve(_host: str, port: int, **_: Any) -> list[Any]:
        nonlocal lookups
        lookups += 1
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in ("127.0.0.9", "127.0.0.1")]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    client = Client(f"store.test:{port}")
    server.delay = 0.05
    await client.together(5)
    await client.engine.aclose()

    assert server.made == 5
    assert lookups == 1


@pytest.mark.parametrize("host", ["no-such-host.invalid", "no..host", f"{'x' * 64}.invalid"])
async def test_a_name_that_leads_nowhere_is_unreachable_and_nothing_was_sent(host: str) -> None:
    client = Client(f"{host}:1")
    with pytest.raises(TransportError) as error:
        await client.get()
    await client.engine.aclose()

    assert error.value.failure is Failure.UNREACHABLE
    assert error.value.never_sent


async def test_closing_ends_a_call_that_waits_for_a_lookup_by_an_error_and_no_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = asyncio.Event()

    async def resolve(*_: object, **__: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    client = Client("store.test:1")
    call, cancelled = (asyncio.create_task(client.get()) for _ in range(2))
    await asked.wait()
    cancelled.cancel()
    await asyncio.wait({cancelled})
    await client.engine.aclose()

    with pytest.raises(TransportError):
        await call
    assert cancelled.cancelled()
