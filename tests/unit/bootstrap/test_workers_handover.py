"""What a worker is given, and that it arrives as it was."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from typing_extensions import override

from adapters.metrics.catalogue import WorkerEnd
from adapters.telemetry.audit_log import AuditLog
from adapters.telemetry.log_setup import configure_logging
from bootstrap.lifecycle import Connection
from bootstrap.server_keys import ServiceKeys, load_service_keys
from bootstrap.settings import Settings, SettingsError, load_settings
from bootstrap.workers.former_lives import FormerLives
from bootstrap.workers.handover import (
    Handover,
    read_handover,
    settings_of,
    settings_with_keys,
    write_handover,
)
from bootstrap.workers.lifeline import wait_for_end
from bootstrap.workers.supervise import stop_seconds
from bootstrap.workers.worker import BeatingConnection, ReportingTransport
from domain.use_cases.key_ring import KeyRing
from tests.contracts.audit import ANSWERED
from tests.fakes.clock import FakeClock
from tests.fakes.key_exchange import FakeKeyExchange
from tests.fakes.transport import FakeHandler, FakeTransport
from tests.support.environments import infisical_environment, nats_kv_environment, new_xkey_seed

FIRST = FormerLives()


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(Settings, env_file=None)


def line_of(settings: Settings, former: FormerLives = FIRST) -> bytes:
    return write_handover(Handover(settings, former))


def handed_over(settings: Settings) -> Settings:
    keys = load_service_keys(settings)
    return read_handover(line_of(settings_with_keys(settings, keys))).settings


def test_a_generated_key_and_retired_ones_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch,
        **infisical_environment(),
        SERVER_XKEY_RETIRED_SEEDS=f"{new_xkey_seed()},{new_xkey_seed()}",
    )
    keys = load_service_keys(settings)

    line = line_of(settings_with_keys(settings, keys))
    arrived = load_service_keys(read_handover(line).settings).server

    assert arrived.current.public == keys.server.current.public
    assert [p.public for p in arrived.retired] == [p.public for p in keys.server.retired]


def test_seeds_take_the_place_of_their_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = given(monkeypatch, **nats_kv_environment(tmp_path))
    keys = load_service_keys(settings)
    line = line_of(settings_with_keys(settings, keys))
    for path in tmp_path.iterdir():
        path.unlink()

    arrived = load_service_keys(read_handover(line).settings)

    assert arrived.server.current.public == keys.server.current.public
    assert arrived.encryption is not None
    assert keys.encryption is not None
    assert arrived.encryption.public == keys.encryption.public
    assert list(tmp_path.iterdir()) == []


def test_every_other_setting_arrives_as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.touch()
    settings = given(
        monkeypatch,
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

    arrived = handed_over(settings)

    ours = {"server_xkey_seed", "server_xkey_seed_file", "server_xkey_retired_seeds"}
    for name in Settings.model_fields.keys() - ours:
        assert getattr(arrived, name) == getattr(settings, name), name


def test_neither_the_environment_nor_a_file_changes_what_arrives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = given(monkeypatch, **infisical_environment(), MAX_IN_FLIGHT="17")
    line = line_of(settings)
    monkeypatch.setenv("SERVER_XKEY_SEED_FILE", str(tmp_path / "other"))
    monkeypatch.setenv("MAX_IN_FLIGHT", "18")
    Path(".env").write_text("LOG_LEVEL=debug\n", "ascii")

    arrived = read_handover(line).settings

    assert (arrived.max_in_flight, arrived.log_level) == (17, "info")
    assert arrived.server_xkey_seed_file is None


def test_what_no_longer_holds_is_told_without_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "canary.yaml"
    policy.touch()
    line = line_of(given(monkeypatch, **infisical_environment(), ACCESS_POLICY_FILE=str(policy)))
    policy.unlink()

    with pytest.raises(SettingsError) as caught:
        read_handover(line)

    assert "ACCESS_POLICY_FILE names a file that does not exist" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_how_those_before_it_ended_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, **infisical_environment())
    former = FormerLives(3).and_one(WorkerEnd.KILLED).and_one(WorkerEnd.NOT_STARTED)

    assert read_handover(line_of(settings, former)).former == former
    assert read_handover(line_of(settings)).former == FIRST


def test_a_key_without_a_seed_cannot_be_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ServiceKeys(KeyRing(FakeKeyExchange().generate()))

    with pytest.raises(TypeError, match="come from seeds"):
        settings_with_keys(given(monkeypatch, **infisical_environment()), keys)


def test_every_worker_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(given(monkeypatch, **infisical_environment(), WORKERS="4"), 3)

    assert (settings.workers, settings.admin_addr) == (1, None)


def test_every_worker_listens_one_port_further_on_for_probes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = given(monkeypatch, **infisical_environment(), WORKERS="4", ADMIN_ADDR="[::1]:65532")

    own = [read_handover(line_of(settings_of(settings, number))).settings for number in range(4)]

    assert [one.admin_addr for one in own] == [f"[::1]:{65532 + number}" for number in range(4)]


@pytest.mark.parametrize(
    ("reads", "workers", "shares"),
    [
        ("60", "2", [30, 30]),
        ("62", "4", [16, 16, 15, 15]),
        # Less than one read would be none, which no setting means.
        ("2", "3", [1, 1, 1]),
    ],
)
def test_reads_a_minute_are_shared_out_among_the_workers(
    monkeypatch: pytest.MonkeyPatch, reads: str, workers: str, shares: list[int]
) -> None:
    settings = given(
        monkeypatch,
        **infisical_environment(),
        INFISICAL_MAX_REQUESTS_PER_MINUTE=reads,
        WORKERS=workers,
    )

    handed = [settings_of(settings, number) for number in range(settings.workers)]
    arrived = [read_handover(line_of(one)).settings for one in handed]

    assert [one.infisical_max_requests_per_minute for one in arrived] == shares


def test_without_a_limit_of_reads_no_worker_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, **infisical_environment(), WORKERS="2")

    arrived = read_handover(line_of(settings_of(settings, 0))).settings

    assert arrived.infisical_max_requests_per_minute is None


def test_what_bounds_one_process_is_each_worker_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch,
        **infisical_environment(),
        INFISICAL_MAX_CONNECTIONS="8",
        CACHE_MAX_ENTRIES="100",
        WORKERS="4",
    )

    own = settings_of(settings, 1)

    assert (own.infisical_max_connections, own.cache_max_entries) == (8, 100)


def test_a_worker_may_take_longer_to_stop_than_its_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = given(monkeypatch, **infisical_environment(), SHUTDOWN_GRACE_SECONDS="3")

    assert stop_seconds(settings) > 3


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


class SlowConnection(Connection):
    """Takes five seconds to open."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.closed = False

    @override
    async def open(self) -> None:
        await self.clock.sleep(5)

    @override
    async def close(self) -> None:
        self.closed = True


async def test_signs_of_life_are_given_from_before_the_connection_opens_until_after_it_closes() -> (
    None
):
    clock, beats = FakeClock(), list[float]()
    inner = SlowConnection(clock)
    connection = BeatingConnection(inner, lambda: beats.append(clock.monotonic()), clock)

    opening = asyncio.create_task(connection.open())
    for second in range(1, 9):
        if second > 5:
            await opening
            await connection.close()
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(beats) == second
        clock.advance(1)

    assert inner.closed


def test_the_end_of_the_other_side_is_noticed_whatever_it_sends_before() -> None:
    chunks = [b"x", b"y", b""]

    wait_for_end(lambda _: chunks.pop(0))

    assert chunks == []


def test_a_broken_connection_is_an_end_as_well() -> None:
    def broken(_: int) -> bytes:
        raise ConnectionResetError

    wait_for_end(broken)
