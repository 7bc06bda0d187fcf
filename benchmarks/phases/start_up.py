"""From starting the process until it serves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import MILLISECONDS
from benchmarks.report import Row, Section
from benchmarks.stage import set_up

if TYPE_CHECKING:
    from collections.abc import Mapping


async def measure(settings: Mapping[str, str], *, starts: int) -> Section:
    """Start it several times against an upstream that answers at once."""
    bare, ready, cpu, memory = [], [], [], []
    for _ in range(starts):
        bare.append(await asyncio.to_thread(_bare_python))
        async with set_up(settings, secrets=1) as stage:
            ready.append(stage.service.seconds_to_ready)
            cpu.append(stage.service.cpu_to_ready)
            memory.append(stage.service.resident_bytes())
    ratio = median(ready) / median(bare)
    return Section(
        "Cold start to ready",
        [
            Row("an empty Python", f"{median(bare) * MILLISECONDS:.0f} ms", "1.0"),
            Row(
                f"the service (CPU {median(cpu) * MILLISECONDS:.0f} ms)",
                f"{median(ready) * MILLISECONDS:.0f} ms",
                f"{ratio:.1f} x Python",
            ),
            Row("memory when ready", f"{median(memory) / 2**20:.0f} MiB"),
        ],
        {
            "python_seconds": bare,
            "ready_seconds": ready,
            "ready_cpu_seconds": cpu,
            "ready_bytes": memory,
            "ratio": ratio,
        },
    )


def _bare_python() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import asyncio"], check=True)
    return time.perf_counter() - started
