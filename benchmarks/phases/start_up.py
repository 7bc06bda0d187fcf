"""From starting the process until it serves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import MILLISECONDS
from benchmarks.report import Row, Section
from benchmarks.service import THIS, Build
from benchmarks.stage import set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class _Starts:
    build: Build
    ready: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    async def add(self, settings: Mapping[str, str]) -> None:
        """Start it once, against an upstream that answers at once."""
        async with set_up(settings, secrets=1, build=self.build) as stage:
            self.ready.append(stage.service.seconds_to_ready)
            self.cpu.append(stage.service.cpu_to_ready)
            self.memory.append(stage.service.resident_bytes())

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
            ],
            {
                "python_seconds": list(bare),
                "ready_seconds": self.ready,
                "ready_cpu_seconds": self.cpu,
                "ready_bytes": self.memory,
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
    return [each.section(bare) for each in measured]


def _bare_python() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import asyncio"], check=True)
    return time.perf_counter() - started
