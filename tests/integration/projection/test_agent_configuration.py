"""`project` while its configuration file changes: what comes, what goes, and what stays."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import httpx

from adapters.system.clock import SystemClock
from tests.support.free_ports import neighbouring_ports
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.projection.conftest import Projection
    from tests.support.kv_secrets import KvSecrets

CLOCK = SystemClock()
TOKEN = b"\xff\x00s3cr3t\n"
LOADED = "projection.config_loaded"


def elsewhere(folder: Path) -> dict[str, object]:
    """Return members of a directory in another place."""
    return {"path": str(folder / "elsewhere"), "files": {"token": {"key": "token"}}}


async def test_files_come_and_go_with_the_configuration_and_others_stay_meanwhile(
    projection: Projection,
) -> None:
    async with projection.agent() as agent:
        token = (projection.path / "token").open("rb")
        files = {"renamed": {"key": "db"}, "token": "secret://token"}
        projection.configure(of_directory={"files": files, "file_mode": "0400"})
        await until(lambda: projection.files.keys() == files.keys())
        await agent.wait_for(LOADED)

        assert projection.files == {"renamed": b"s3cr3t-db-1", "token": TOKEN}
        assert (projection.path / "token").stat().st_mode & 0o777 == 0o400
        with token:
            assert token.read() == TOKEN
        assert not agent.logged("projection.removed")


async def test_a_directory_that_is_taken_out_is_wiped_and_the_new_one_is_guarded(
    projection: Projection, tmp_path: Path
) -> None:
    new = tmp_path / "elsewhere" / "token"
    async with projection.agent() as agent:
        projection.configure(of_directory=elsewhere(tmp_path))
        await until(new.exists)
        await agent.wait_for(LOADED)
        assert list(projection.path.iterdir()) == []
        assert new.read_bytes() == TOKEN

        os.kill(agent.pid, signal.SIGKILL)
        await until(lambda: not new.exists())


async def test_a_directory_that_is_taken_out_is_free_for_another_agent(
    projection: Projection, tmp_path: Path
) -> None:
    async with projection.agent() as agent:
        projection.configure(of_directory=elsewhere(tmp_path))
        await agent.wait_for(LOADED)
        projection.config = tmp_path / "other.yaml"
        projection.configure()
        async with projection.agent():
            assert projection.files["token"] == TOKEN


async def test_a_mistake_in_the_file_leaves_all_as_it_was_and_is_said(
    projection: Projection, tmp_path: Path
) -> None:
    port = neighbouring_ports(1)
    before = projection.config.read_text("utf-8")
    async with projection.agent(ADMIN_ADDR=f":{port}") as agent:
        projection.config.write_text(before.replace("db-password", "a/b"), "utf-8")
        await agent.wait_for("projection.config_refused")
        in_the_way = tmp_path / "elsewhere"
        in_the_way.write_text("a file")
        projection.configure(of_directory=elsewhere(tmp_path))
        await agent.wait_for("projection.config_refused", 2)
        async with httpx.AsyncClient(trust_env=False) as client:
            ready = (await client.get(f"http://127.0.0.1:{port}/readyz")).json()
        files = projection.files
        in_the_way.unlink()
        projection.config.write_text(f"# mended\n{before}", "utf-8")
        await agent.wait_for(LOADED)
        mended = projection.files

    assert files == mended == {"db-password": b"s3cr3t-db-1", "token": TOKEN}
    first, second = (record["mistakes"] for record in agent.logged("projection.config_refused"))
    assert first[0].startswith("line 1, column ")
    assert f"The directory {in_the_way} cannot be opened" in second[0]
    assert "is not in force" in ready["checks"]["front"]["advice"]


async def test_a_value_stays_while_the_store_is_out_and_a_consumer_without_a_grant_gets_none(
    projection: Projection, kv: KvSecrets, fresh_nats_server: LocalNatsServer
) -> None:
    kv.grant("/**", workload="cart")
    async with projection.agent(REQUEST_TIMEOUT_SECONDS="1") as agent:
        await fresh_nats_server.stop()
        projection.configure(refresh="50s")
        await agent.wait_for(LOADED)
        await CLOCK.sleep(2)
        kept = projection.files
        projection.configure(of_directory={"consumer": {"namespace": "shop", "workload": "bill"}})
        await until(lambda: projection.files == {})

    assert kept == {"db-password": b"s3cr3t-db-1", "token": TOKEN}
