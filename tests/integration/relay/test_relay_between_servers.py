"""The relay between two real nats-servers, with a host of the test's own at the far end."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import nats
import pytest
import pytest_asyncio
from nats.errors import NoRespondersError

from tests.support.kv_secrets import KvSecrets
from tests.support.service_process import ServiceProcess
from tests.unit.adapters.wasmcloud2.relay_rig import start_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer

CANARY = "canary-hunter2"
START, STATUS = "runtime.host.h1.workload.start", "runtime.host.h1.workload.status"


class Between:
    """Two servers, and what stands at both ends.

    Attributes:
        started: the start requests that the host got.
        message: what the host says in each status.
    """

    def __init__(
        self,
        operators: LocalNatsServer,
        hosts: LocalNatsServer,
        own: LocalNatsServer,
        kv: KvSecrets,
    ) -> None:
        self.operators, self.hosts, self.own, self.kv = operators, hosts, own, kv
        self.started: list[dict[str, Any]] = []
        self.message = ""
        self.operator: Client
        self.host: Client

    def settings(self, **more: str) -> dict[str, str]:
        return self.kv.settings | {
            "RELAY_OPERATOR_URL": self.operators.url,
            "RELAY_HOSTS_URL": self.hosts.url,
            "LOG_FORMAT": "json",
            **more,
        }

    async def ask(self, subject: str, body: object, seconds: float = 5) -> dict[str, str]:
        """Ask as the operator does, and return the status."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = await self.operator.request(subject, data, timeout=seconds)
        status: dict[str, str] = json.loads(reply.data)["workloadStatus"]
        return status

    async def answer(self, message: Msg) -> None:
        """Answer as a host does."""
        request = json.loads(message.data)
        if message.subject.endswith("start"):
            self.started.append(request)
        status = {
            "workloadId": request.get("workloadId", ""),
            "workloadState": "WORKLOAD_STATE_RUNNING",
            "message": self.message,
        }
        await message.respond(json.dumps({"workloadStatus": status}).encode())


@pytest_asyncio.fixture
async def between(start_nats_server: StartNatsServer, tmp_path: Path) -> AsyncIterator[Between]:
    operators = await start_nats_server()
    hosts = await start_nats_server("max_payload: 65536")
    own = await start_nats_server(jetstream=True)
    async with KvSecrets(own.url, tmp_path) as kv:
        await kv.put("db", CANARY)
        found = Between(operators, hosts, own, kv)
        found.operator, found.host = (
            await nats.connect(operators.url),
            await nats.connect(hosts.url),
        )
        await found.host.subscribe("runtime.host.h1.>", cb=found.answer)
        await found.host.flush()
        yield found
        await found.operator.close()
        await found.host.close()


def relay(between: Between, folder: Path, **settings: str) -> ServiceProcess:
    return ServiceProcess(
        between.settings(**settings), folder, arguments=("bootstrap.cli", "relay")
    )


async def test_a_reference_is_filled_in_and_a_repeated_value_does_not_come_back(
    between: Between, tmp_path: Path
) -> None:
    between.message = f"config: db={CANARY}"
    async with relay(between, tmp_path) as process:
        started = await between.ask(START, start_request({"db": "secret://db"}))
        later = await between.ask(STATUS, {"workloadId": "one"})
        await process.wait_for("relay.value_redacted", 2)

    world = between.started[0]["workload"]["witWorld"]
    assert world["hostInterfaces"][0]["config"] == {"db": CANARY}
    assert started["message"] == later["message"] == "config: db=[redacted]"
    assert CANARY not in process.output


@pytest.mark.parametrize("size", [70_000, 60_000])
async def test_a_request_beyond_the_hosts_payload_limit_is_refused(
    between: Between, tmp_path: Path, size: int
) -> None:
    async with relay(between, tmp_path):
        await between.kv.put("large", "x" * 9_000)
        config = {"pad": "y" * size, "large": "secret://large"}
        refused = await between.ask(START, start_request(config))
        with pytest.raises(NoRespondersError):
            await between.ask(START, start_request({"pad": "y" * 70_000}))
        assert (await between.ask(STATUS, {"workloadId": "one"}))["workloadId"] == "one"

    assert "the hosts' NATS carries 65536" in refused["message"]
    assert between.started == []


async def test_a_host_that_is_away_is_said_at_once(between: Between, tmp_path: Path) -> None:
    async with relay(between, tmp_path):
        began = asyncio.get_running_loop().time()
        with pytest.raises(NoRespondersError):
            await between.operator.request("runtime.host.h2.workload.status", b"{}", timeout=20)
        assert asyncio.get_running_loop().time() - began < 2


async def test_the_hosts_nats_may_go_and_come_back(between: Between, tmp_path: Path) -> None:
    async with relay(between, tmp_path) as process:
        await between.ask(START, start_request({"db": "secret://db"}))
        await between.hosts.kill()
        await process.wait_for("nats.disconnected")
        with pytest.raises(NoRespondersError):
            await between.ask(STATUS, {"workloadId": "one"}, seconds=20)
        await between.hosts.start()
        async with asyncio.timeout(20):
            while True:
                try:
                    await between.ask(STATUS, {"workloadId": "one"})
                except NoRespondersError:
                    await asyncio.sleep(0.1)
                else:
                    break


async def test_a_store_that_is_down_refuses_in_time_and_serves_later(
    between: Between, tmp_path: Path
) -> None:
    async with relay(between, tmp_path, REQUEST_TIMEOUT_SECONDS="2") as process:
        await between.own.kill()
        refused = await between.ask(START, start_request({"db": "secret://db"}), seconds=15)
        passed = await between.ask(START, start_request({"db": "plain"}, workload_id="two"))
        await between.own.start()
        async with asyncio.timeout(30):
            while True:
                again = await between.ask(START, start_request({"db": "secret://db"}), seconds=15)
                if again["workloadState"].endswith("RUNNING"):
                    break
                await asyncio.sleep(0.2)

    assert "UpstreamError" in refused["message"]
    assert passed["workloadState"].endswith("RUNNING")
    assert CANARY not in process.output


async def test_heartbeats_and_requests_pass_quickly(between: Between, tmp_path: Path) -> None:
    async with relay(between, tmp_path):
        heard = await between.operator.subscribe("runtime.operator.heartbeat.*")
        await between.operator.flush()
        began = asyncio.get_running_loop().time()
        for _ in range(200):
            await between.ask(STATUS, {"workloadId": "one"})
        took = asyncio.get_running_loop().time() - began
        await between.host.publish("runtime.operator.heartbeat.h1", b'{"id":"h1"}')
        assert (await heard.next_msg(timeout=5)).data == b'{"id":"h1"}'
    assert took / 200 < 0.05


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("V2_ENVIRONMENT", "V2_ENVIRONMENT is required for the relay"),
        ("ACCESS_POLICY_FILE", "ACCESS_POLICY_FILE is required for the relay"),
        ("RELAY_HOSTS_URL", "RELAY_HOSTS_URL"),
        ("RELAY_OPERATOR_URL", "RELAY_OPERATOR_URL"),
    ],
)
async def test_what_is_missing_stops_the_start(
    between: Between, tmp_path: Path, missing: str, said: str
) -> None:
    process = relay(between, tmp_path, **{missing: ""})
    await process.start()

    assert await process.exit_code() == 2
    assert said in process.output


async def test_workers_are_refused(between: Between, tmp_path: Path) -> None:
    process = relay(between, tmp_path, WORKERS="2")
    await process.start()

    assert await process.exit_code() == 2
    assert "WORKERS must be 1 for the relay" in process.output


async def test_one_server_for_both_sides_is_refused(between: Between, tmp_path: Path) -> None:
    process = relay(between, tmp_path, RELAY_HOSTS_URL=between.operators.url)
    await process.start()

    assert await process.exit_code() == 1
    assert "lead to the same subjects" in process.output
