"""Reply subjects that would turn the service's answers against itself or its neighbours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import nats
import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from adapters.audit.stream_names import DEFAULT_SUBJECT
from adapters.nats.subjects import SecretsSubjects
from tests.integration.nats.conftest import RawPeer
from tests.support.environments import nats_kv_environment
from tests.support.host import Host, connected_host
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from bootstrap.local.nats_server import LocalNatsServer


@pytest.fixture
def subjects(subject_prefix: str) -> SecretsSubjects:
    return SecretsSubjects(prefix=subject_prefix)


@pytest.fixture
def settings(
    fresh_nats_server: LocalNatsServer, subjects: SecretsSubjects, tmp_path: Path
) -> dict[str, str]:
    return nats_kv_environment(tmp_path) | {
        "NATS_URL": fresh_nats_server.url,
        "NATS_SUBJECT_PREFIX": subjects.prefix,
        "LOG_LEVEL": "debug",
    }


@pytest_asyncio.fixture
async def attacker(fresh_nats_server: LocalNatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(fresh_nats_server.url)
    yield client
    await client.close()


@pytest_asyncio.fixture
async def host(
    fresh_nats_server: LocalNatsServer, subjects: SecretsSubjects
) -> AsyncIterator[Host]:
    async with connected_host(fresh_nats_server.url, subjects.prefix) as connected:
        yield connected


async def served(host: Host, service: ServiceProcess) -> int:
    """Wait until the service has answered a last question, and count what it has answered."""
    before = len(service.logged("secret_request"))
    await host.channel.request("server_xkey", b"", None, 5)
    async with asyncio.timeout(10):
        while len(service.logged("secret_request")) <= before:  # noqa: ASYNC110  the log has no event
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)  # a loop would go on meanwhile
    return len(service.logged("secret_request"))


@pytest.mark.parametrize("operation", ["get", "server_xkey", "anything"])
async def test_a_reply_subject_that_is_the_services_own_starts_no_loop(
    settings: dict[str, str],
    subjects: SecretsSubjects,
    tmp_path: Path,
    attacker: Client,
    operation: str,
) -> None:
    async with ServiceProcess(settings, tmp_path) as first, ServiceProcess(settings, tmp_path):
        start = len(first.logged("secret_request"))
        for asked in ("get", "server_xkey", "anything"):
            await attacker.publish(subjects.of(asked), b"x", reply=subjects.of(operation))
        await attacker.flush()
        # The other replica may have taken the last question; a loop would show in both.
        await attacker.request(subjects.of("server_xkey"), b"", timeout=5)
        await asyncio.sleep(0.3)
        assert len(first.logged("secret_request")) - start <= 1


async def test_two_backends_cannot_be_made_to_answer_each_other(
    settings: dict[str, str], tmp_path: Path, attacker: Client, host: Host
) -> None:
    prefix = settings["NATS_SUBJECT_PREFIX"]
    other = settings | {"BACKEND_NAME": "other"}
    neighbour = SecretsSubjects(prefix=prefix, backend="other")
    async with (
        ServiceProcess(settings, tmp_path) as service,
        ServiceProcess(other, tmp_path) as second,
    ):
        before = len(second.logged("secret_request"))
        for asked in ("get", "server_xkey", "anything"):
            await attacker.publish(
                SecretsSubjects(prefix=prefix).of(asked), b"x", reply=neighbour.of("get")
            )
        await attacker.flush()
        await served(host, service)

    assert len(second.logged("secret_request")) == before


async def test_answers_cannot_be_written_into_buckets_streams_or_the_jetstream_api(
    settings: dict[str, str],
    subjects: SecretsSubjects,
    tmp_path: Path,
    attacker: Client,
    host: Host,
) -> None:
    audit_subjects = [DEFAULT_SUBJECT, f"{subjects.prefix}.audit.v1"]
    jetstream = JetStreamContext(attacker)
    await jetstream.add_stream(name="AUDIT", subjects=audit_subjects)
    async with ServiceProcess(settings, tmp_path) as service:
        bucket = await jetstream.stream_info("KV_WASMCLOUD_SECRETS")
        for reply in (
            "$KV.WASMCLOUD_SECRETS.KEY",
            "$JS.API.STREAM.DELETE.KV_WASMCLOUD_SECRETS",
            "$JS.API.STREAM.PURGE.KV_WASMCLOUD_SECRETS",
            "$SYS.REQ.SERVER.PING",
            *audit_subjects,
        ):
            for asked in ("get", "server_xkey"):
                await attacker.publish(subjects.of(asked), b"x", reply=reply)
        await attacker.flush()
        await served(host, service)

    after = await jetstream.stream_info("KV_WASMCLOUD_SECRETS")
    assert after.state.messages == bucket.state.messages
    assert (await jetstream.stream_info("AUDIT")).state.messages == 0


async def test_half_sent_requests_keep_nobody_waiting(
    settings: dict[str, str],
    subjects: SecretsSubjects,
    tmp_path: Path,
    fresh_nats_server: LocalNatsServer,
    host: Host,
) -> None:
    peers = []
    async with ServiceProcess(settings, tmp_path):
        for _ in range(50):
            reader, writer = await asyncio.open_connection("127.0.0.1", fresh_nats_server.port)
            peer = RawPeer(reader, writer)
            await peer.until(b"\r\n")
            half = b"PUB %s in 100000\r\nxkv1" % subjects.of("get").encode()
            await peer.send(b'CONNECT {"verbose":false,"headers":true}\r\n' + half)
            peers.append(peer)
        async with asyncio.timeout(5):
            await host.channel.request("server_xkey", b"", None, 5)
        for peer in peers:
            await peer.close()


async def test_a_burst_of_junk_gets_one_reply_each_and_the_host_is_served_beside_it(
    settings: dict[str, str],
    subjects: SecretsSubjects,
    tmp_path: Path,
    attacker: Client,
    host: Host,
) -> None:
    burst = 3000
    replies: list[bytes] = []
    complete = asyncio.Event()

    async def count(message: Msg) -> None:
        replies.append(message.data)
        if len(replies) == burst:
            complete.set()

    await attacker.subscribe("in.junk", cb=count)
    async with ServiceProcess(settings, tmp_path):
        for _ in range(burst):
            await attacker.publish(subjects.of("get"), b"junk", reply="in.junk")
        async with asyncio.timeout(20):
            await host.channel.request("server_xkey", b"", None, 10)
            await complete.wait()
        await asyncio.sleep(0.2)

    assert len(replies) == burst
    assert set(replies) == {b'{"error": "InvalidHeaders"}'}
