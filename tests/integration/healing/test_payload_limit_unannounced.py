"""A limit that no JWT of the user names: each reply is carried or refused, and none is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats.transport import NatsTransport
from adapters.system.clock import SystemClock
from ports.transport import ChannelError
from tests.fakes.transport import FakeHandler
from tests.support.nats_key_pairs import scoped_login
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.conftest import StartNatsServer
    from tests.support.nats_key_pairs import ScopedLogin

_HOST_SECONDS = 5.0
_REFUSED = b"refused as reply_not_carried"
_ECHO = len(b"echo ")


def connection(url: str, login: ScopedLogin, role: str) -> NatsConnection:
    settings = NatsSettings(
        urls=(url,),
        nkey_seed=SecretStr(login.user.seed),
        user_jwt=SecretStr(login.jwts[role]),
    )
    return NatsConnection(settings, SystemClock(), reconnect_wait=0.05)


@asynccontextmanager
async def serving(
    url: str, login: ScopedLogin
) -> AsyncIterator[tuple[NatsChannel, NatsConnection]]:
    """A service whose login is limited, and hosts whose login is not."""
    backend = connection(url, login, "limited")
    subjects = SecretsSubjects()
    transport = NatsTransport(backend.client, subjects, SystemClock())
    async with backend, connection(url, login, "free") as host:
        await transport.start(FakeHandler())
        yield NatsChannel(host.client, subjects), backend
        await transport.stop(0)


async def ask(channel: NatsChannel, size: int) -> bytes:
    """Return what came for a request whose reply has this size; "" if nothing did."""
    while True:
        try:
            reply = await channel.request("get", bytes(size - _ECHO), None, _HOST_SECONDS)
        except ChannelError as error:
            if error.reason in {"no_responders", "disconnected"}:  # known at once
                await asyncio.sleep(0.02)
                continue
            return b""
        return reply.body


def expected(size: int, limit: int) -> bytes:
    # These replies have no headers.
    return b"echo " + bytes(size - _ECHO) if size <= limit else _REFUSED


def _publishes(backend: NatsConnection, most: int) -> bool:
    return backend.client.max_payload == most


@pytest.mark.parametrize("limit", [700, 2500, 9000])
async def test_each_of_many_gets_its_reply_or_a_refusal_over_one_connection(
    start_nats_server: StartNatsServer, limit: int
) -> None:
    login = scoped_login(limited=limit)
    server = await start_nats_server(login.config)
    sizes = [100 + (number * 7919) % 15000 for number in range(400)]

    async with serving(server.url, login) as (channel, backend):
        answers = await asyncio.gather(*(ask(channel, size) for size in sizes))

    assert answers == [expected(size, limit) for size in sizes]
    assert backend.client.stats["reconnects"] == 0
    assert backend.client.max_payload == limit


async def test_a_limit_that_is_changed_at_run_time_is_kept_to_without_a_restart(
    start_nats_server: StartNatsServer,
) -> None:
    login = scoped_login(limited=6000)
    server = await start_nats_server(login.config)

    async with serving(server.url, login) as (channel, backend):
        for limit in (1800, 9000, -1, 4000):
            await server.reload(replace(login, limits={"limited": limit, "free": -1}).config)
            most = limit if limit > 0 else backend.client.servers_max_payload
            await until(partial(_publishes, backend, most))
            for size in (1000, 1800, 1801, 3000, 5000, 8000):
                assert await ask(channel, size) == expected(size, most)


async def test_a_login_without_a_limit_costs_one_message(
    start_nats_server: StartNatsServer,
) -> None:
    login = scoped_login()
    server = await start_nats_server(f"{login.config}\nmax_payload: 33554432")

    async with connection(server.url, login, "free") as backend:
        assert backend.client.max_payload == 33554432
