"""`project` as a process: what its consumers find while secrets, rules and stores change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from adapters.system.clock import SystemClock
from tests.support.free_ports import neighbouring_ports
from tests.support.waiting import until

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.projection.conftest import Projection
    from tests.support.kv_secrets import KvSecrets

CLOCK = SystemClock()
SHARED = Path("/dev/shm")  # noqa: S108  tmpfs on every Linux
CAN_GIVE_AWAY = os.geteuid() == 0 and SHARED.is_dir()
BOTH = {"db-password": b"s3cr3t-db-1", "token": b"\xff\x00s3cr3t\n"}


async def test_files_hold_exact_bytes_before_the_agent_is_ready(projection: Projection) -> None:
    async with projection.agent() as agent:
        assert projection.files == BOTH
        modes = {name: stat.S_IMODE((projection.path / name).stat().st_mode) for name in BOTH}
        assert modes == {"db-password": 0o400, "token": 0o440}
        assert await agent.stop() == 0
        assert projection.everything == b""
        assert list(projection.path.iterdir()) == []
        assert "s3cr3t" not in agent.output


async def test_a_directory_in_memory_gets_the_owners_that_are_configured(
    projection: Projection,
) -> None:
    if not CAN_GIVE_AWAY:
        pytest.skip("only root gives files away, and a tmpfs is needed")
    projection.path = SHARED / f"projected-{os.getpid()}"
    owners = {"tmpfs": "required", "owner": 4711, "group": 815, "mode": "0750"}
    projection.configure(of_directory=owners)
    try:
        async with projection.agent():
            assert projection.files == BOTH
            file, folder = (projection.path / "token").stat(), projection.path.stat()
            generation = (projection.path / "..data/").stat()
    finally:
        shutil.rmtree(projection.path, ignore_errors=True)

    assert (file.st_uid, file.st_gid) == (4711, 815)
    # The directories stay the agent's: no consumer replaces what is in them.
    assert (folder.st_uid, folder.st_gid) == (0, 815)
    assert (generation.st_uid, generation.st_gid) == (0, 815)


async def test_a_directory_on_a_disk_is_refused_with_what_to_do(projection: Projection) -> None:
    if os.stat(projection.config.parent).st_dev == os.stat(SHARED).st_dev:  # noqa: PTH116
        pytest.skip("the temporary folder lies on tmpfs")
    projection.configure(of_directory={"tmpfs": "required"})
    agent = projection.agent()
    await agent.start()
    assert await agent.exit_code() == 2
    assert "choose a directory on tmpfs" in agent.output


async def test_a_rotated_secret_is_in_its_file_within_a_second_of_the_notice(
    projection: Projection, kv: KvSecrets
) -> None:
    async with projection.agent():
        await kv.put("db", "s3cr3t-db-2")
        await kv.flush()
        at = CLOCK.monotonic()
        await until(lambda: projection.files["db-password"] == b"s3cr3t-db-2")
        assert CLOCK.monotonic() - at < 1
        # The generation before is gone soon after.
        await until(lambda: b"s3cr3t-db-1" not in projection.everything)


async def test_without_a_notice_secrets_are_read_again_by_themselves(
    projection: Projection, kv: KvSecrets
) -> None:
    projection.configure(refresh="1s")
    async with projection.agent():
        await kv.put("db", "s3cr3t-db-2")
        await until(lambda: projection.files["db-password"] == b"s3cr3t-db-2")


async def test_a_revoked_secret_goes_and_the_others_stay(
    projection: Projection, kv: KvSecrets
) -> None:
    async with projection.agent() as agent:
        kv.grant("/token")
        at = CLOCK.monotonic()
        await until(lambda: "db-password" not in projection.files)

        assert CLOCK.monotonic() - at < 4
        assert b"s3cr3t-db" not in projection.everything
        assert projection.files == {"token": BOTH["token"]}
        removed = await agent.wait_for("projection.removed")
        assert removed["file"] == "db-password"
        assert removed["reason"] == "key_not_granted"
        kv.grant("/**")
        await until(lambda: projection.files == BOTH)


async def test_a_deleted_secret_goes_with_the_notice(projection: Projection, kv: KvSecrets) -> None:
    async with projection.agent():
        await kv.delete("db")
        await kv.flush()
        await until(lambda: projection.files == {"token": BOTH["token"]})
        assert b"s3cr3t-db" not in projection.everything


async def test_files_outlive_a_store_that_is_out_for_the_configured_time_alone(
    projection: Projection, fresh_nats_server: LocalNatsServer
) -> None:
    projection.configure(refresh="1s", max_stale="4s")
    async with projection.agent():
        await fresh_nats_server.kill()
        at = CLOCK.monotonic()
        await until(lambda: projection.files == {})
        gone_after = CLOCK.monotonic() - at
        assert 2 < gone_after < 6
        assert projection.everything == b""

        await fresh_nats_server.start()
        await until(lambda: projection.files == BOTH)


async def test_each_delivery_and_each_refusal_is_recorded_once(
    projection: Projection, kv: KvSecrets
) -> None:
    projection.configure(refresh="1s")
    async with projection.agent() as agent:
        await kv.put("db", "s3cr3t-db-2")
        await until(lambda: projection.files["db-password"] == b"s3cr3t-db-2")
        kv.grant("/token")
        await until(lambda: "db-password" not in projection.files)
        await CLOCK.sleep(2.5)
        records = agent.logged("secret_request")
        told = [(r["key"], r["outcome"], r.get("version_served")) for r in records]

    assert sorted(told[:2]) == [("db", "answered", "1"), ("token", "answered", "2")]
    assert [(key, outcome) for key, outcome, _ in told[2:]] == [
        ("db", "answered"),
        ("db", "refused"),
    ]
    assert {r["workload_name"] for r in records} == {"cart"}
    assert {r["workload_environment"] for r in records} == {"prod"}
    assert "s3cr3t" not in json.dumps(records)


async def test_readiness_and_metrics_tell_of_missing_files(
    projection: Projection, kv: KvSecrets
) -> None:
    port = neighbouring_ports(1)
    async with (
        projection.agent(ADMIN_ADDR=f"127.0.0.1:{port}"),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as admin,
    ):
        await until(lambda: projection.files == BOTH)
        assert (await admin.get("/readyz")).status_code == 200
        kv.grant("/token")
        await until(lambda: projection.files != BOTH)
        answer = await admin.get("/readyz")
        metrics = (await admin.get("/metrics")).text

    assert answer.status_code == 503
    assert "db-password" in answer.text
    assert "wasmcloud_secrets_projection_files 2.0" in metrics
    assert "wasmcloud_secrets_projection_files_present 1.0" in metrics
    assert "s3cr3t" not in answer.text + metrics


async def test_a_second_agent_for_a_directory_is_refused(projection: Projection) -> None:
    async with projection.agent():
        second = projection.agent()
        await second.start()
        assert await second.exit_code() == 1
        assert "Another agent projects" in second.output
        assert projection.files == BOTH


async def test_reloading_the_rules_by_hand_takes_effect_at_once(
    projection: Projection, kv: KvSecrets
) -> None:
    async with projection.agent() as agent:
        kv.grant("/token")
        at = CLOCK.monotonic()
        agent.signal(signal.SIGHUP)
        await until(lambda: "db-password" not in projection.files)
        assert CLOCK.monotonic() - at < 1
