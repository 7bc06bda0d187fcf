"""The first connect: every way to log in, and what its failures say."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from adapters.crypto.nkeys_text import KeyKind
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.integration.nats.connecting_rig import CANARY, assert_connects, fail
from tests.support.nats_key_pairs import KeyPair, operator_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer


PASSWORD = f"authorization {{ user: me, password: {CANARY} }}"
TOKEN = f'authorization {{ token: "{CANARY}" }}'


async def test_user_and_password_log_in(start_nats_server: StartNatsServer) -> None:
    server = await start_nats_server(PASSWORD)

    await assert_connects(NatsSettings(urls=(server.url,), user="me", password=SecretStr(CANARY)))
    await assert_connects(NatsSettings(urls=(f"nats://me:{CANARY}@127.0.0.1:{server.port}",)))


async def test_a_token_logs_in(start_nats_server: StartNatsServer) -> None:
    server = await start_nats_server(TOKEN)

    await assert_connects(NatsSettings(urls=(server.url,), token=SecretStr(CANARY)))


async def test_an_nkey_logs_in(start_nats_server: StartNatsServer, tmp_path: Path) -> None:
    user = KeyPair(KeyKind.USER)
    server = await start_nats_server(f"authorization {{ users: [{{ nkey: {user.public} }}] }}")
    (tmp_path / "seed").write_text(user.seed)

    await assert_connects(NatsSettings(urls=(server.url,), nkey_seed=SecretStr(user.seed)))
    await assert_connects(NatsSettings(urls=(server.url,), nkey_seed_file=tmp_path / "seed"))
    stranger = KeyPair(KeyKind.USER).seed
    error = await fail(NatsSettings(urls=(server.url,), nkey_seed=SecretStr(stranger)))
    assert error.reason == "authorization"


async def test_a_credentials_file_logs_in_where_an_operator_rules(
    start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    user = KeyPair(KeyKind.USER)
    config, user_jwt = operator_config(user)
    server = await start_nats_server(config)
    credentials = tmp_path / "user.creds"
    credentials.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )

    await assert_connects(NatsSettings(urls=(server.url,), credentials_file=credentials))
    await assert_connects(
        NatsSettings(
            urls=(server.url,), nkey_seed=SecretStr(user.seed), user_jwt=SecretStr(user_jwt)
        )
    )
    credentials.write_text(credentials.read_text().replace("BEGIN USER", CANARY))
    error = await fail(NatsSettings(urls=(server.url,), credentials_file=credentials))
    assert error.reason == "credentials"


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (PASSWORD, {"user": "me", "password": SecretStr(f"{CANARY}x")}),
        (PASSWORD, {"token": SecretStr(CANARY)}),
        (PASSWORD, {}),
        (TOKEN, {"token": SecretStr(f"{CANARY}x")}),
    ],
)
async def test_rejected_credentials_are_named_as_such(
    start_nats_server: StartNatsServer, wanted: str, given: dict[str, Any]
) -> None:
    server = await start_nats_server(wanted)

    error = await fail(NatsSettings(urls=(server.url,), **given))

    assert error.reason == "authorization"
    assert "rejected the credentials" in str(error)


async def test_a_password_in_the_url_is_not_repeated(start_nats_server: StartNatsServer) -> None:
    server = await start_nats_server(TOKEN)

    error = await fail(NatsSettings(urls=(f"nats://me:{CANARY}@127.0.0.1:{server.port}",)))

    assert f"nats://127.0.0.1:{server.port}:" in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_server_that_is_not_there_is_refused_at_once(
    unused_port: Callable[[], int], host: str
) -> None:
    error = await fail(NatsSettings(urls=(f"nats://{host}:{unused_port()}",)))

    assert error.reason == "refused"
    assert "Check that nats-server is running" in str(error)


async def test_an_unknown_host_is_named_as_such() -> None:
    assert (await fail(NatsSettings(urls=("nats://no-such-host.invalid",)))).reason in {
        "unresolved",
        "timeout",
    }


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (None, "timeout"),
        (b"", "not_nats"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_nats"),
        (b"INFO {]\r\n", "not_nats"),
        (b"x" * 200_000, "not_nats"),
        (b"INFO {}\r\n\xff\xfe -ERR\r\n", "not_nats"),
        (b"INFO {}\r\n-ERR 'maximum connections exceeded'\r\n", "rejected"),
        (b"INFO {}\r\nINFO {}\r\n", "failed"),
        (b"INFO {}\r\n", "failed"),
    ],
)
async def test_something_else_behind_the_port_is_told_apart(
    greeting: bytes | None, reason: str
) -> None:
    done = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is None:
            await done.wait()
        else:
            writer.write(greeting)
            if greeting.startswith(b"INFO {}"):
                await reader.readuntil(b"PING\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as impostor:
        port = impostor.sockets[0].getsockname()[1]
        error = await fail(NatsSettings(urls=(f"nats://127.0.0.1:{port}",)), connect_timeout=0.3)
        done.set()

    assert error.reason == reason


async def test_the_first_server_that_answers_is_taken(
    nats_server: LocalNatsServer, unused_port: Callable[[], int]
) -> None:
    for _ in range(3):  # the order is drawn
        await assert_connects(
            NatsSettings(urls=(f"nats://127.0.0.1:{unused_port()}", nats_server.url))
        )


async def test_after_a_failure_the_same_connection_may_be_opened_again(
    start_nats_server: StartNatsServer,
) -> None:
    server = await start_nats_server()
    connection = NatsConnection(NatsSettings(urls=(server.url,)), SystemClock())
    await server.kill()
    for _ in range(2):
        with pytest.raises(NatsConnectError):
            await connection.open()

    await server.start()
    await connection.open()

    assert connection.is_connected
    await connection.close()
    await connection.close()


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Ports on which nothing listens."""

    def draw() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return draw
