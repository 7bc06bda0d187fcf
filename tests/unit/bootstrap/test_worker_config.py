"""What a worker is given, and that it arrives as it was."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.metrics.catalogue import WorkerEnd
from adapters.nats_kv.settings import NatsKvSettings
from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.log_setup import configure_logging
from bootstrap.server_keys import load_server_keys
from bootstrap.settings import Configuration, Settings, SettingsError
from bootstrap.workers.lifeline import wait_for_end
from bootstrap.workers.restart_history import RestartHistory
from bootstrap.workers.supervise import stop_seconds
from bootstrap.workers.worker import ReportingTransport, beating
from bootstrap.workers.worker_config import config_of, read_config, with_keys, write_config
from domain.use_cases.key_ring import KeyRing
from ports.transport_plugin import TransportParts
from tests.contracts.audit import ANSWERED
from tests.fakes.clock import FakeClock
from tests.fakes.key_exchange import FakeKeyExchange
from tests.fakes.transport import FakeHandler, FakeTransport
from tests.support.environments import (
    configuration,
    infisical_environment,
    nats_kv_environment,
    new_xkey_seed,
)

FIRST = RestartHistory()


def worker(configuration: Configuration, history: RestartHistory = FIRST) -> Configuration:
    """Return what arrives at a worker."""
    return read_config(write_config(config_of(configuration, history)))


def test_a_generated_key_and_retired_ones_arrive() -> None:
    given = configuration(
        **infisical_environment(),
        SERVER_XKEY_RETIRED_SEEDS=f"{new_xkey_seed()},{new_xkey_seed()}",
    )
    keys = load_server_keys(given.service)

    arrived = load_server_keys(worker(with_keys(given, keys)).service)

    assert arrived.current.public == keys.current.public
    assert [p.public for p in arrived.retired] == [p.public for p in keys.retired]


def test_seeds_take_the_place_of_their_files(tmp_path: Path) -> None:
    given = configuration(**nats_kv_environment(tmp_path))
    keys = load_server_keys(given.service)
    handed = with_keys(given, keys)
    assert isinstance(given.store.settings, NatsKvSettings)
    encryption = given.store.settings.encryption_xkey()
    for path in tmp_path.iterdir():
        path.unlink()

    arrived = worker(handed)

    assert load_server_keys(arrived.service).current.public == keys.current.public
    assert isinstance(arrived.store.settings, NatsKvSettings)
    assert arrived.store.settings.encryption_xkey().public == encryption.public
    assert list(tmp_path.iterdir()) == []


def test_every_other_setting_arrives_as_it_was(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.touch()
    given = configuration(
        **infisical_environment(),
        NATS_URL="nats://a:1,tls://b:2",
        NATS_USER="u",
        NATS_PASSWORD="p",
        ACCESS_POLICY_FILE=str(policy),
        AUDIT_FILE=str(tmp_path / "audit.jsonl"),
        MAX_IN_FLIGHT="17",
        SHUTDOWN_GRACE_SECONDS="1.5",
        LOCK_MEMORY="true",
        INFISICAL_ALLOWED_PATHS="/a,/b",
        WORKERS="3",
    )

    arrived = worker(with_keys(given, load_server_keys(given.service)))

    ours = {"server_xkey_seed", "server_xkey_seed_file", "server_xkey_retired_seeds", "workers"}
    for name in Settings.model_fields.keys() - ours:
        assert getattr(arrived.service, name) == getattr(given.service, name), name
    assert arrived.store == given.store
    assert arrived.transport == given.transport
    assert arrived.workers == 3


def test_neither_the_environment_nor_a_file_changes_what_arrives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line = write_config(configuration(**infisical_environment(), MAX_IN_FLIGHT="17"))
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", str(tmp_path / "other"))
    monkeypatch.setenv("MAX_IN_FLIGHT", "18")
    Path(".env").write_text("LOG_LEVEL=debug\n", "ascii")

    arrived = read_config(line).service

    assert (arrived.max_in_flight, arrived.log_level) == (17, "info")
    assert arrived.server_xkey_seed_file is None


@pytest.mark.parametrize("setting", ["ACCESS_POLICY_FILE", "INFISICAL_CA_FILE", "NATS_TLS_CA_FILE"])
def test_what_no_longer_holds_is_told_without_values(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "canary.yaml"
    path.touch()
    line = write_config(configuration(**infisical_environment(), **{setting: path}))
    path.unlink()

    with pytest.raises(SettingsError) as caught:
        read_config(line)

    assert f"{setting} names a file that does not exist" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_how_those_before_it_ended_arrives() -> None:
    given = configuration(**infisical_environment())
    history = RestartHistory(3).and_one(WorkerEnd.KILLED).and_one(WorkerEnd.NOT_STARTED)

    assert worker(given, history).history == history
    assert worker(given).history == FIRST


def test_a_key_without_a_seed_cannot_be_handed_over() -> None:
    keys = KeyRing(FakeKeyExchange().generate())

    with pytest.raises(TypeError, match="come from seeds"):
        with_keys(configuration(**infisical_environment()), keys)


def test_every_worker_knows_its_number_and_how_many_there_are() -> None:
    own = worker(configuration(**infisical_environment(), WORKERS="4"), RestartHistory(3))

    assert (own.worker, own.workers, own.service.admin_addr) == (3, 4, None)


def test_every_worker_listens_one_port_further_on_for_probes() -> None:
    given = configuration(**infisical_environment(), WORKERS="4", ADMIN_ADDR="[::1]:65532")

    own = [worker(given, RestartHistory(number)).service for number in range(4)]

    assert [one.admin_addr for one in own] == [f"[::1]:{65532 + number}" for number in range(4)]


def test_a_worker_may_take_longer_to_stop_than_its_requests() -> None:
    given = configuration(**infisical_environment(), SHUTDOWN_GRACE_SECONDS="3")

    assert stop_seconds(given.service) > 3


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_every_line_names_the_worker_those_of_the_audit_trail_included(log_format: Any) -> None:
    stream = io.StringIO()
    configure_logging("info", log_format, stream, worker=4)

    structlog.get_logger().info("something.happened", braces="{}")
    AuditLog().record(ANSWERED)

    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    for line in lines:
        if log_format == "json":
            assert json.loads(line)["worker"] == 4
        else:
            assert line.endswith(" worker=4")


async def test_the_worker_is_reported_once_it_takes_requests() -> None:
    clock, reports = FakeClock(), list[str]()
    transport = ReportingTransport(FakeTransport(clock), lambda: reports.append("started"))

    await transport.start(FakeHandler())
    await transport.stop(1)

    assert reports == ["started"]


async def test_signs_of_life_are_given_from_before_the_transport_opens_and_go_on() -> None:
    clock, beats = FakeClock(), list[float]()

    async def connect() -> None:
        await clock.sleep(5)

    opening = asyncio.ensure_future(
        beating(
            TransportParts(FakeTransport(clock), open=connect),
            lambda _: beats.append(clock.monotonic()),
            clock,
        )()
    )
    for second in range(1, 9):
        if second > 5:
            await opening
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(beats) == second
        clock.advance(1)


def test_the_end_of_the_other_side_is_noticed_whatever_it_sends_before() -> None:
    chunks = [b"x", b"y", b""]

    wait_for_end(lambda _: chunks.pop(0))

    assert chunks == []


def test_a_broken_connection_is_an_end_as_well() -> None:
    def broken(_: int) -> bytes:
        raise ConnectionResetError

    wait_for_end(broken)
