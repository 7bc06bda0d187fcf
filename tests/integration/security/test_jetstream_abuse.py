"""JetStream acts past its callers' permissions: what a caller can make it do with deploy/nats."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from adapters.audit.stream_config import AuditStreamConfig, ensure_stream
from adapters.crypto.control_messages import ControlCodec, ControlMessageRefusedError
from adapters.system.clock import SystemClock
from tests.integration.security.roles import (
    SUBJECTS,
    asking_host,
    jetstream_prefix,
    service_settings,
    store_secret,
)
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from nats.aio.msg import Msg

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.security.roles import LogIn

BUCKET = "KV_WASMCLOUD_SECRETS"
AUDIT_SUBJECT = "wasmcloud.secrets.audit.v1"
CONTROL = [
    f"wasmcloud.secrets.control.infisical.{name}" for name in ("invalidate", "login_refused")
]
FORGED = json.dumps(
    {"event": "secret_request", "schema": 1, "outcome": "answered", "identity": "0" * 32}
).encode()


async def test_the_operator_cannot_have_jetstream_write_events_or_orders(
    shipped_server: LocalNatsServer, tmp_path: Path, log_in: LogIn
) -> None:
    """In an account of its own nothing gets out; in the shared one nothing is taken for genuine."""
    await store_secret(shipped_server, tmp_path, "KEY", "value")
    backend = await log_in(shipped_server, "backend")
    await ensure_stream(backend.client.jetstream(), AuditStreamConfig())
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    for subject in CONTROL:
        await backend.client.subscribe(subject, cb=hear)
    await backend.client.flush()
    operator = await log_in(shipped_server, "operator")
    api = jetstream_prefix(shipped_server, "operator")
    await operator.client.publish("$KV.WASMCLOUD_SECRETS.KEY", FORGED)
    for reply in (AUDIT_SUBJECT, *CONTROL):
        for subject, body in (
            (f"{api}.STREAM.MSG.GET.{BUCKET}", b'{"seq":2}'),
            (f"{api}.STREAM.INFO.{BUCKET}", b""),
            (f"{api}.DIRECT.GET.{BUCKET}", b'{"seq":2}'),
            (f"$JS.API.DIRECT.GET.{BUCKET}", b'{"seq":2}'),
            ("$KV.WASMCLOUD_SECRETS.KEY", FORGED),
        ):
            await operator.client.publish(subject, body, reply=reply)
    await operator.client.flush()
    await asyncio.sleep(0.3)
    await backend.client.flush()

    kept = (await backend.client.jetstream().stream_info("SECRETS_AUDIT")).state.messages
    if api != "$JS.API":
        assert (kept, heard) == (0, [])
    codec = ControlCodec([b"k" * 32], SystemClock())
    for message in heard:
        with pytest.raises(ControlMessageRefusedError):
            codec.unwrap(message.subject, message.data)
    auditor = await log_in(shipped_server, "auditor")
    for number in range(1, kept + 1):
        # What JetStream answers with is wrapped, so it is none of the trail's events.
        stored = await auditor.client.jetstream().get_msg("SECRETS_AUDIT", seq=number)
        assert "event" not in json.loads(stored.data or b"")


async def test_the_operator_makes_no_consumer_and_no_stream(
    shipped_server: LocalNatsServer, log_in: LogIn
) -> None:
    """Either could deliver, or publish again, to any subject of its account."""
    operator = await log_in(shipped_server, "operator")

    for prefix in {"$JS.API", jetstream_prefix(shipped_server, "operator")}:
        for call in (
            f"CONSUMER.CREATE.{BUCKET}",
            f"CONSUMER.CREATE.{BUCKET}.name",
            f"CONSUMER.DURABLE.CREATE.{BUCKET}.name",
            f"STREAM.CREATE.{BUCKET}",
            f"STREAM.UPDATE.{BUCKET}",
            f"DIRECT.GET.{BUCKET}",
        ):
            assert not await operator.may_publish(f"{prefix}.{call}")


@pytest.mark.parametrize("subject", [SUBJECTS.of("get"), "wasmcloud.secrets.>", "wasmcloud.>", ">"])
async def test_with_jetstream_on_in_its_account_a_host_makes_no_stream_over_the_backends_subjects(
    accounts_server: LocalNatsServer, tmp_path: Path, log_in: LogIn, subject: str
) -> None:
    await store_secret(accounts_server, tmp_path, "KEY", "value")
    rogue, lattice = [await log_in(accounts_server, user) for user in ("host-a", "lattice-a")]
    # JetStream is on there, and a stream can be made by whom the lattice trusts.
    await lattice.client.jetstream().add_stream(name="EVENTS", subjects=["events.>"])
    body = json.dumps({"name": "EVENTS", "subjects": ["events.>", subject]}).encode()

    for call in ("CREATE", "UPDATE", "RESTORE"):
        for prefix in ("$JS.API", "$JS.hub.API"):
            for stream in ("ROGUE", "EVENTS"):
                assert not await rogue.may_publish(f"{prefix}.STREAM.{call}.{stream}", body)

    async with (
        ServiceProcess(service_settings(accounts_server, tmp_path), tmp_path),
        asking_host(accounts_server, "host-a") as host,
    ):
        assert (await host.get("KEY")).value.reveal() == "value"
    info = await lattice.client.jetstream().stream_info("EVENTS")
    assert (info.config.subjects, info.state.messages) == (["events.>"], 0)


async def test_a_stream_over_the_backends_subjects_would_answer_in_its_place(
    accounts_server: LocalNatsServer, log_in: LogIn
) -> None:
    """Why the shipped configuration denies it: this is what is kept from hosts."""
    lattice, host = [await log_in(accounts_server, user) for user in ("lattice-a", "host-a")]
    await lattice.client.jetstream().add_stream(name="TRUSTED", subjects=[SUBJECTS.of("get")])

    answer = await host.client.request(SUBJECTS.of("get"), b"sealed", timeout=2)

    assert json.loads(answer.data)["stream"] == "TRUSTED"


async def test_a_host_cannot_have_jetstream_ask_in_the_name_of_another_account(
    accounts_server: LocalNatsServer, log_in: LogIn
) -> None:
    lattice, host, backend = [
        await log_in(accounts_server, user) for user in ("lattice-a", "host-a", "backend")
    ]
    heard: asyncio.Queue[Msg] = asyncio.Queue()
    await backend.client.subscribe(SUBJECTS.every_operation, SUBJECTS.queue_group, cb=heard.put)
    await backend.client.flush()
    await lattice.client.jetstream().add_stream(name="DATA", subjects=["data.>"])
    forged = json.dumps({"acc": "LATTICE_B", "user": "host-b"})
    await host.client.jetstream().publish("data.x", b"x", headers={"Nats-Request-Info": forged})

    await host.client.jetstream().add_consumer(
        "DATA",
        ConsumerConfig(name="push", deliver_subject=SUBJECTS.of("get"), ack_policy=AckPolicy.NONE),
    )
    message = await asyncio.wait_for(heard.get(), 5)

    info = json.loads((message.headers or {})["Nats-Request-Info"])
    assert info["acc"] == "LATTICE_A"
    assert "user" not in info
    # The service drops what is to be answered there, so nothing comes of it.
    assert message.reply.startswith("$JS.ACK.")
