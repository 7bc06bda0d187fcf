"""`wasmcloud-secrets healthcheck` beside a running service, as an image's HEALTHCHECK runs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import CommandLine
from tests.support.free_ports import neighbouring_ports
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

Settings = dict[str, str]


@pytest.fixture
def settings(nats_kv_settings: Settings) -> Settings:
    return {**nats_kv_settings, "ADMIN_ADDR": f"0.0.0.0:{neighbouring_ports(3)}"}


async def test_a_service_that_serves_is_well(settings: Settings, tmp_path: Path) -> None:
    commands = CommandLine({**settings, "HTTP_PROXY": "http://127.0.0.1:1"}, tmp_path)
    async with ServiceProcess(settings, tmp_path):
        ready = await commands.run("healthcheck")
        live = await commands.run("healthcheck", "--live")

    assert ready == live == (0, b"", "")


async def test_a_service_whose_store_is_down_is_live_and_not_ready(
    infisical_settings: Settings, tmp_path: Path
) -> None:
    port = neighbouring_ports(2)
    settings = {
        **infisical_settings,
        "ADMIN_ADDR": f"127.0.0.1:{port}",
        "INFISICAL_BASE_URL": f"http://127.0.0.1:{port + 1}",
    }
    commands = CommandLine(settings, tmp_path)
    async with ServiceProcess(settings, tmp_path, ready="service.not_ready") as service:
        await service.wait_for("nats.listening")
        code, out, advice = await commands.run("healthcheck")
        live, *_ = await commands.run("healthcheck", "--live")

    assert (code, out, live) == (1, b"", 0)
    assert advice.startswith("store: ")


async def test_every_worker_is_asked(settings: Settings, tmp_path: Path) -> None:
    two, three = ({**settings, "WORKERS": count} for count in ("2", "3"))
    async with ServiceProcess(two, tmp_path, ready="workers.started"):
        both, *_ = await CommandLine(two, tmp_path).run("healthcheck")
        code, _, advice = await CommandLine(three, tmp_path).run("healthcheck")

    third = int(settings["ADMIN_ADDR"].split(":")[1]) + 2
    assert both == 0
    assert code == 1
    assert advice.startswith(f"Port {third} does not answer")


@pytest.mark.parametrize(
    ("address", "said"),
    [("", "ADMIN_ADDR must be set"), ("nonsense", "ADMIN_ADDR must be"), (":1", "Port 1 does not")],
)
async def test_what_cannot_be_asked_is_not_well(address: str, said: str, tmp_path: Path) -> None:
    code, out, advice = await CommandLine({"ADMIN_ADDR": address}, tmp_path).run("healthcheck")

    assert (code, out) == (1, b"")
    assert said in advice
    assert "Traceback" not in advice


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n[]",
        b'HTTP/1.1 503 No\r\nContent-Length: 15\r\n\r\n{"checks": "x"}',
        b"HTTP/1.1 503 No\r\n\r\n" + b'{"checks":{"a":{"ok":false,"advice":"\\u001b["}}}',
        b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"",
    ],
)
async def test_another_program_s_answer_is_not_well(answer: bytes, tmp_path: Path) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        commands = CommandLine({"ADMIN_ADDR": f"127.0.0.1:{port}"}, tmp_path)
        code, _, advice = await commands.run("healthcheck")

    assert code == 1
    assert advice
    assert "Traceback" not in advice
    assert "\x1b" not in advice
