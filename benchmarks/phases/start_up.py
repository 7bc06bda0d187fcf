"""From starting the process until it serves, what it takes then, and what help costs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import MILLISECONDS
from benchmarks.report import Row, Section
from benchmarks.service import THIS, Build
from benchmarks.stage import set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORKERS = 4
_COMMANDS = ("--version", "--help", "kv --help")
"""As the console script is asked; each loads nothing that it does not show."""


@dataclass
class _Starts:
    build: Build
    ready: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    commands: dict[str, list[float]] = field(default_factory=dict)
    of_workers: int = 0

    async def add(self, settings: Mapping[str, str]) -> None:
        """Start it once, against an upstream that answers at once."""
        async with set_up(settings, secrets=1, build=self.build) as stage:
            self.ready.append(stage.service.seconds_to_ready)
            self.cpu.append(stage.service.cpu_to_ready)
            self.memory.append(stage.service.resident_bytes())
        for words in _COMMANDS:
            cpu = await asyncio.to_thread(_command_cpu, self.build, words.split())
            self.commands.setdefault(words, []).append(cpu)

    async def add_workers(self, settings: Mapping[str, str]) -> None:
        """Start it once with several workers."""
        workers = {"WORKERS": str(WORKERS)}
        async with set_up({**settings, **workers}, secrets=1, build=self.build) as stage:
            self.of_workers = stage.service.proportional_bytes()

    def section(self, bare: Sequence[float]) -> Section:
        """Compare it with a Python that imports asyncio alone."""
        ratio = median(self.ready) / median(bare)
        return Section(
            self.build.titled("Cold start to ready"),
            [
                Row("an empty Python", f"{median(bare) * MILLISECONDS:.0f} ms", "1.0"),
                Row(
                    f"the service (CPU {median(self.cpu) * MILLISECONDS:.0f} ms)",
                    f"{median(self.ready) * MILLISECONDS:.0f} ms",
                    f"{ratio:.1f} x Python",
                ),
                Row("memory when ready", f"{median(self.memory) / 2**20:.0f} MiB"),
                Row(
                    f"memory of {WORKERS} workers and their supervisor, shared pages once",
                    f"{self.of_workers / 2**20:.0f} MiB",
                ),
                *(
                    Row(f"`wasmcloud-secrets {words}`, CPU", f"{median(cpu) * MILLISECONDS:.0f} ms")
                    for words, cpu in self.commands.items()
                ),
            ],
            {
                "python_seconds": list(bare),
                "ready_seconds": self.ready,
                "ready_cpu_seconds": self.cpu,
                "ready_bytes": self.memory,
                "workers_bytes": self.of_workers,
                "command_cpu_seconds": self.commands,
                "ratio": ratio,
            },
        )


async def measure(
    settings: Mapping[str, str], builds: Sequence[Build] = (THIS,), *, starts: int
) -> list[Section]:
    """Start each build several times, in turns."""
    bare: list[float] = []
    measured = [_Starts(build) for build in builds]
    for _ in range(starts):
        bare.append(await asyncio.to_thread(_bare_python))
        for each in measured:
            await each.add(settings)
    for each in measured:
        await each.add_workers(settings)
    return [each.section(bare) for each in measured]


def _command_cpu(build: Build, words: Sequence[str]) -> float:
    """Return the CPU seconds of one run of the console script."""
    script = str(Path(build.python).with_name("wasmcloud-secrets"))
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(build.root)}
    silent = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    pid = os.posix_spawn(script, [script, *words], environment, file_actions=[silent])
    _, status, used = os.wait4(pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), script)
    return used.ru_utime + used.ru_stime


def _bare_python() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import asyncio"], check=True)
    return time.perf_counter() - started
