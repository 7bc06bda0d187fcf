"""No peer can end the connection, the subscription or another peer's request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from adapters.nats.raw_messages import SELF_CHECKS_A_SECOND
from domain.model.transport import Requester

if TYPE_CHECKING:
    from adapters.nats.subjects import SecretsSubjects
    from tests.integration.conftest import StartNatsServer
    from tests.integration.nats.conftest import ConnectHost, RawPeer, Replica, StartReplica

KEY = b"WasmCloud-Host-Xkey"


@pytest_asyncio.fixture
async def replica(start_replica: StartReplica, nats_url: str) -> Replica:
    return await start_replica(nats_url)


MALFORMED_HEADERS = [
    b"NATS/1.0",
    b"NATS/1.0 ",
    b"NATS/1.0\r",
    b"NATS/1.0\r\n\r\n",
    b"abc",
    b"\r\n",
    b"\xff",
    b"NATS/1.0\r\nno colon at all\r\n\r\n",
    b"NATS/1.0\r\n: no name\r\n\r\n",
    b"NATS/1.0\r\n\xff\xfe: not text\r\n\r\n",
    b"NATS/1.0\r\n" + KEY + b": \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\n" + KEY + b"\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
    b"NATS/1.0 503 No Responders\r\nX: y\r\n\r\n",
    b"NATS/1.0 \xff\xfe\xfd\r\n\r\n",
    b"NATS/1.0 100 \xff\xfe\r\n\r\n",
    b"NATS/1.0 100\r\nIdle Heartbeat\r\n\r\n",
    b"NATS/1.0\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
    b"NATS/1.0\r\n" + b"x" * 20_000,
]

USELESS_REPLY_SUBJECTS = [
    b"$JS.API.STREAM.DELETE.bucket",
    b"$KV.secrets.key",
    b"\xff\xfe",
    b"x" * 1025,
]


def hpub(subject: str, reply: bytes, headers: bytes, body: bytes = b"hi") -> bytes:
    size = len(headers) + len(body)
    line = b"HPUB %s %s %d %d\r\n" % (subject.encode(), reply, len(headers), size)
    return line + headers + body + b"\r\n"


def pub(subject: bytes, reply: bytes) -> bytes:
    return b"PUB %s %s 2\r\nhi\r\n" % (subject, reply)


async def assert_serves(replica: Replica, peer: RawPeer, subjects: SecretsSubjects) -> None:
    """The same connection still answers, in order."""
    await peer.send(pub(subjects.of("get").encode(), b"raw.inbox"))
    assert (await peer.until(b"echo hi\r\n")).endswith(b"echo hi\r\n")
    assert replica.connection.client.stats["reconnects"] == 0


@pytest.mark.parametrize("headers", MALFORMED_HEADERS, ids=lambda headers: repr(headers[:40]))
async def test_a_malformed_header_block_is_answered_and_harms_nobody(
    headers: bytes, raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    await raw_peer.send(hpub(subjects.of("get"), b"raw.inbox", headers))

    await raw_peer.until(b"echo hi\r\n")
    await assert_serves(replica, raw_peer, subjects)


@pytest.mark.parametrize("operation", [b"\xff\xfe", b"a\x0bb", b"a\x0c7", b"a\x00b", b"\xc2\x85"])
async def test_an_operation_that_is_no_word_is_answered(
    operation: bytes, raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    await raw_peer.send(pub(subjects.base.encode() + operation, b"raw.inbox"))

    await raw_peer.until(b"echo hi\r\n")
    assert replica.handler.arrived.get_nowait().operation == operation.decode("utf-8", "replace")
    await assert_serves(replica, raw_peer, subjects)


@pytest.mark.parametrize("reply", [b"raw.in\x0bbox", b"raw.\x0c7", b"foo.*", b">", b"a..b", b"."])
async def test_an_odd_reply_subject_harms_nobody(
    reply: bytes, raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    await raw_peer.send(pub(subjects.of("get").encode(), reply))

    await replica.handler.arrived.get()
    await assert_serves(replica, raw_peer, subjects)


@pytest.mark.parametrize("reply", USELESS_REPLY_SUBJECTS, ids=lambda reply: repr(reply[:20]))
async def test_a_reply_subject_nothing_may_be_sent_to_drops_the_request(
    reply: bytes, raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    await raw_peer.send(pub(subjects.of("get").encode(), reply))

    await assert_serves(replica, raw_peer, subjects)
    assert replica.transport.dropped == 1
    assert replica.handler.arrived.qsize() == 1


async def test_a_message_nobody_waits_for_is_dropped(
    raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    await raw_peer.send(b"PUB %s 2\r\nhi\r\n" % subjects.of("get").encode())

    await assert_serves(replica, raw_peer, subjects)
    assert replica.transport.dropped == 1


async def test_contradicting_headers_arrive_as_something_that_is_no_key(
    raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    headers = b"NATS/1.0\r\nWasmCloud-Host-Xkey: XA\r\nwasmcloud-host-xkey: XB\r\n\r\n"

    await raw_peer.send(hpub(subjects.of("get"), b"raw.inbox", headers))

    await raw_peer.until(b"echo hi\r\n")
    assert replica.handler.arrived.get_nowait().host_xkey == "XA, XB"


async def test_malformed_messages_to_the_hosts_own_inbox_harm_no_request(
    raw_peer: RawPeer, replica: Replica, connect_host: ConnectHost, nats_url: str
) -> None:
    host = await connect_host(nats_url)
    await host.request("get", b"x", None, 5)
    client = replica.connection.client
    await client.subscribe("elsewhere.>", cb=_ignore)
    await client.flush()

    for headers in MALFORMED_HEADERS:
        await raw_peer.send(hpub("elsewhere.a", b"raw.inbox", headers))
    await raw_peer.send(pub(b"elsewhere.\xff", b""))

    assert (await host.request("get", b"y", None, 5)).body == b"echo y"
    assert client.stats["reconnects"] == 0


async def _ignore(_message: object) -> None:
    pass


ACCOUNTS = """
accounts {
  SECRETS {
    users: [{ user: service, password: pass }]
    exports: [{ service: "PREFIX.>", response_type: Single }]
  }
  HOSTS {
    users: [{ user: lattice, password: pass }]
    imports: [{ service: { account: SECRETS, subject: "PREFIX.>" }, share: true }]
  }
}
"""


async def test_the_server_vouches_for_the_account_and_user_of_a_request(
    start_nats_server: StartNatsServer,
    start_replica: StartReplica,
    connect_host: ConnectHost,
    subjects: SecretsSubjects,
) -> None:
    server = await start_nats_server(ACCOUNTS.replace("PREFIX", subjects.prefix))
    address = f"127.0.0.1:{server.port}"
    replica = await start_replica(f"nats://service:pass@{address}", vouches_for_requesters=True)
    host = await connect_host(f"nats://lattice:pass@{address}")

    await host.request("get", b"x", "XKEY", 5)

    request = replica.handler.arrived.get_nowait()
    assert request.requester == Requester("HOSTS", "lattice")
    assert request.host_xkey == "XKEY"


async def test_without_being_told_to_the_transport_vouches_for_nobody(
    raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    forged = b'NATS/1.0\r\nNats-Request-Info: {"acc":"ADMIN"}\r\n\r\n'

    await raw_peer.send(hpub(subjects.of("get"), b"raw.inbox", forged))

    await raw_peer.until(b"echo hi\r\n")
    assert replica.handler.arrived.get_nowait().requester is None


async def test_a_flood_of_self_checks_is_taken_for_the_requests_it_is(
    raw_peer: RawPeer, replica: Replica, subjects: SecretsSubjects
) -> None:
    check = b"NATS/1.0\r\nWasmcloud-Secrets-Self-Check: 1\r\n\r\n"
    flood = 10 * SELF_CHECKS_A_SECOND

    await raw_peer.send(hpub(subjects.of("server_xkey"), b"raw.inbox", check) * flood)
    await raw_peer.send(hpub(subjects.of("get"), b"raw.inbox", check, b"last"))

    answers = await raw_peer.until(b"echo last\r\n")
    # All that come in one second, and perhaps in the next.
    assert answers.count(b"\r\n+\r\n") <= 2 * SELF_CHECKS_A_SECOND
    assert replica.handler.arrived.qsize() >= flood - 2 * SELF_CHECKS_A_SECOND
