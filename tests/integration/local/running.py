"""`make run` as a process in a folder of the test's own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bootstrap.local.service_process import surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Running:
    """One `make run`.

    Attributes:
        output: what it has printed for people.
        log: the service's records.
    """

    process: asyncio.subprocess.Process
    output: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)
    errors: str = ""

    async def until_ready(self) -> dict[str, Any]:
        """Read until the service serves, and return that record."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        while "Ctrl-C" not in self.output:
            self.output += await _line(self.process.stdout)
        while not self.events("service.ready"):
            self._take(await _line(self.process.stderr))
        return self.events("service.ready")[0]

    async def end(self) -> int:
        """Read to the end, and return the exit code."""
        output, errors = await self.process.communicate()
        self.output += output.decode()
        for line in errors.decode().splitlines():
            self._take(line)
        assert self.process.returncode is not None
        return self.process.returncode

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the process alone, and return the exit code."""
        self.process.send_signal(number)
        return await self.end()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the records of one event."""
        return [record for record in self.log if record["event"] == name]

    def _take(self, line: str) -> None:
        self.errors += line
        if line.startswith("{"):
            self.log.append(json.loads(line))


@asynccontextmanager
async def run_in(folder: Path, **settings: str) -> AsyncIterator[Running]:
    """Start it as the leader of a process group, as a terminal would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bootstrap.local.run",
        cwd=folder,
        env={**surroundings(), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGTERM)
            await process.communicate()


async def _line(stream: asyncio.StreamReader) -> str:
    line = await stream.readline()
    assert line, "it ended too early"
    return line.decode()
