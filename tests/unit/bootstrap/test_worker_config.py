"""What a worker runs on, and what it and its supervisor tell each other."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.metrics.worker_end import WorkerEnd
from adapters.nats_kv.settings import NatsKvSettings
from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.log_setup import configure_logging
from bootstrap.main import FAILED, exit_code_of
from bootstrap.settings import Settings
from bootstrap.workers.lifeline import wait_for_end
from bootstrap.workers.supervise import stop_seconds
from bootstrap.workers.worker import ReportingTransport, beating, load
from bootstrap.workers.worker_config import (
    RestartHistory,
    config_of,
    read_history,
    write_history,
)
from domain.use_cases.key_ring import KeyRing
from ports.transport_plugin import TransportParts
from tests.contracts.audit import ANSWERED
from tests.fakes.clock import FakeClock
from tests.fakes.transport import FakeHandler, FakeTransport
from tests.support.environments import (
    configuration,
    infisical_environment,
    nats_kv_environment,
)
from tests.support.settling import settle

if TYPE_CHECKING:
    from pathlib import Path

FIRST = RestartHistory()


def test_what_plug_ins_read_from_files_is_read_once_for_all_workers(tmp_path: Path) -> None:
    given = configuration(**nats_kv_environment(tmp_path))

    resolved = given.resolved()
    assert isinstance(resolved.store.settings, NatsKvSettings)
    encryption = resolved.store.settings.encryption_xkey()
    for path in tmp_path.iterdir():
        path.unlink()

    own = config_of(resolved, FIRST)
    assert isinstance(own.store.settings, NatsKvSettings)
    assert own.store.settings.encryption_xkey().public == encryption.public
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_fails_by_a_bug_before_workers_are_forked_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = configuration(**nats_kv_environment(tmp_path), WORKERS="2")
    monkeypatch.setattr("bootstrap.store_pipeline.StorePipeline.__init__", None)

    assert exit_code_of(lambda: load(given, KeyRing(SodiumXKeyPair.generate()))) == FAILED

    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["exception"]) == ("service.crashed", "TypeError")


def test_every_other_setting_is_as_it_was() -> None:
    given = configuration(**infisical_environment(), MAX_IN_FLIGHT="17", WORKERS="3")

    own = config_of(given.resolved(), FIRST)

    for name in Settings.model_fields.keys() - {"workers"}:
        assert getattr(own.service, name) == getattr(given.service, name), name
    assert (own.store, own.transport, own.workers) == (given.store, given.transport, 3)


def test_how_those_before_it_ended_arrives() -> None:
    history = RestartHistory(3).and_one(WorkerEnd.KILLED).and_one(WorkerEnd.NOT_STARTED)

    assert read_history(write_history(history)) == history
    assert read_history(write_history(FIRST)) == FIRST


def test_every_worker_knows_its_number_and_how_many_there_are() -> None:
    own = config_of(configuration(**infisical_environment(), WORKERS="4"), RestartHistory(3))

    assert (own.worker, own.workers, own.service.admin_addr) == (3, 4, None)


def test_every_worker_listens_one_port_further_on_for_probes() -> None:
    given = configuration(**infisical_environment(), WORKERS="4", ADMIN_ADDR="[::1]:65532")

    own = [config_of(given, RestartHistory(number)).service for number in range(4)]

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
        await settle()
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
