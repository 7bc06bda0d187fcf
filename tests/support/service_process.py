"""The service as a process of its own, as operators run it: environment in, log lines out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]

_PATIENCE_SECONDS = 20.0


class ServiceProcess:
    """`python -m bootstrap.main` with nothing but the given settings.

    Entering waits for `service.ready`; leaving ends the process.

    Args:
        settings: the environment variables.
        folder: where it runs, without a `.env` unless the test puts one there.
        ready: the event that entering waits for.
        arguments: another module of this package in the service's place, and what it is given.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        folder: Path,
        *,
        ready: str = "service.ready",
        arguments: tuple[str, ...] = ("bootstrap.main",),
    ) -> None:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in {"PATH", "HOME"} or name.startswith("COVERAGE")
        }
        self._environment = {**inherited, "PYTHONPATH": str(ROOT), **settings}
        self._folder = folder
        self._ready = ready
        self._arguments = arguments
        self._lines: list[str] = []
        self._changed = asyncio.Event()
        self._awake = asyncio.Event()
        self._awake.set()
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        await self.wait_for(self._ready)
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._started
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
        if process.returncode is None:
            process.kill()
        await self.exit_code()

    async def start(self) -> None:
        """Start it without waiting for anything."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *self._arguments,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._readers = [
            asyncio.create_task(self._read(stream))
            for stream in (self._process.stdout, self._process.stderr)
            if stream is not None
        ]

    @property
    def output(self) -> str:
        """Everything it has written so far, to stdout and stderr."""
        return "\n".join(self._lines)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The log records among it."""
        found = []
        for line in self._lines:
            with contextlib.suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return found

    def logged(self, event: str, **having: str) -> list[dict[str, Any]]:
        """Return the records of one event, of those that have such fields."""
        wanted = {"event": event, **having}.items()
        return [record for record in self.records if wanted <= record.items()]

    async def wait_for(self, event: str, count: int = 1, **having: str) -> dict[str, Any]:
        """Wait until an event has been logged that often, and return its last record.

        Args:
            event: its name.
            count: how often.
            having: fields that a record needs to count, as `operation="get"` for the request that
                a host sends after the one for the server's key.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(self.logged(event, **having)) < count:
                if self._readers and all(reader.done() for reader in self._readers):
                    raise AssertionError(f"it ended without {event}:\n{self.output}")
                self._changed.clear()
                await self._changed.wait()
        return self.logged(event, **having)[-1]

    def stop_reading(self) -> None:
        """Leave what it writes in the pipe, as a log collector that hangs."""
        self._awake.clear()

    def go_on_reading(self) -> None:
        """Read what is in the pipe, and what comes."""
        self._awake.set()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._started.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, whatever is left to read of it."""
        return not Path(f"/proc/{self._started.pid}").exists()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._started.send_signal(number)

    async def exit_code(self) -> int:
        """Wait for its end."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            code = await self._started.wait()
            await asyncio.gather(*self._readers)
        return code

    async def stop(self) -> int:
        """Ask it to end as an orchestrator does, and return its exit code."""
        self.ask_to_stop()
        return await self.exit_code()

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait."""
        self.signal(signal.SIGTERM)

    @property
    def _started(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "start it first"
        return self._process

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            await self._awake.wait()
            self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))
            self._changed.set()
        self._changed.set()


async def run_to_its_end(settings: Mapping[str, str], folder: Path) -> tuple[int, ServiceProcess]:
    """Start one that is not meant to get far, and return its exit code with what it wrote."""
    process = ServiceProcess(settings, folder)
    await process.start()
    return await process.exit_code(), process
