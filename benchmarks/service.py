"""The service as operators run it, in a process of its own whose use of the machine is read."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from benchmarks.process_usage import (
    cpu_seconds,
    descendants,
    proportional_bytes,
    resident_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.002


class ServiceFailedError(Exception):
    """The service ended, or did not get ready; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Build:
    """A checkout of the service, and the Python that has what it needs.

    Attributes:
        name: what the table calls it; nothing for the one that the bench belongs to.
    """

    name: str = ""
    root: Path = ROOT
    python: str = sys.executable

    @classmethod
    def at(cls, root: Path) -> Build:
        """Return the build of another checkout, with the virtual environment `.venv` in it."""
        return cls(root.name, root.resolve(), str(root.resolve() / ".venv" / "bin" / "python"))

    def titled(self, title: str) -> str:
        """Return a section's title that says which build it is of."""
        return f"{title} ({self.name})" if self.name else title


THIS: Final = Build()


class MeasuredService:
    """`python -m bootstrap.main` with its log, audit events included, in a file.

    Args:
        settings: environment variables beside PATH.
        folder: where it runs and logs.
        build: which one is run.

    Attributes:
        seconds_to_ready: from starting the process until it said that it serves.
        cpu_to_ready: CPU seconds until then.
    """

    def __init__(self, settings: Mapping[str, str], folder: Path, build: Build = THIS) -> None:
        self._python = build.python
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(build.root),
            "LOG_FORMAT": "json",
            **settings,
        }
        self._folder = folder
        self._log = folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.seconds_to_ready = 0.0
        self.cpu_to_ready = 0.0

    async def __aenter__(self) -> Self:
        started = time.perf_counter()
        self._process = await asyncio.to_thread(self._spawn)
        while not self._is_ready():
            if self._process.poll() is not None or time.perf_counter() - started > _START_SECONDS:
                await self._end()
                last = self._log.read_text("utf-8", "replace").strip().splitlines()[-3:]
                raise ServiceFailedError("\n".join(["The service did not get ready:", *last]))
            await asyncio.sleep(_POLL_SECONDS)
        self.seconds_to_ready = time.perf_counter() - started
        self.cpu_to_ready = self.cpu_seconds()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise ServiceFailedError("Enter the service's context first.")
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used so far, its worker processes included."""
        return sum(cpu_seconds(pid) for pid in (self.pid, *descendants(self.pid)))

    def resident_bytes(self) -> int:
        """Return the memory that its first process has in RAM now."""
        return resident_bytes(self.pid)

    def proportional_bytes(self) -> int:
        """Return the memory of all its processes, what they share counted once."""
        return sum(map(proportional_bytes, (self.pid, *descendants(self.pid))))

    def shorten_log(self) -> None:
        """Throw its log away so far; a million audit events are a gigabyte."""
        os.truncate(self._log, 0)

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._log.unlink(missing_ok=True)
        # For appending, so that it can be shortened meanwhile.
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  a build that the caller named
                [self._python, "-m", "bootstrap.main"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _is_ready(self) -> bool:
        workers = int(self._environment.get("WORKERS", "1"))
        return self._log.read_bytes().count(b'"event":"service.ready"') >= workers

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
