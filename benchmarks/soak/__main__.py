"""`make soak`: faults one after the other under load, and one table of what hosts met.

Everything runs on loopback, against nothing but what this starts, and ends by the given time.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
from collections import Counter
from dataclasses import dataclass, field

from adapters.system.clock import SystemClock
from benchmarks.soak.faults import FAULTS
from benchmarks.soak.load import ANSWERED, LOST, End, Load
from benchmarks.soak.stage import Stage, set_up

_SETTLE_SECONDS = 10.0
"""Between faults; what heals later than that counts as not healed."""

_LONGEST_FAULT_SECONDS = 8.0
_LAST_ANSWERS_SECONDS = 11.0

_HEAD = (
    "| fault | rounds | answered | typed errors | lost | longest wait s | healed after s | rest |"
)


@dataclass
class Row:
    """What one kind of fault came to, all its rounds together."""

    rounds: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    longest_wait: float = 0.0
    heal: float = 0.0

    def add(self, ends: list[End], end_of_fault: float) -> None:
        """Count the requests that were sent from a fault's begin to the next one's."""
        self.rounds += 1
        self.kinds.update(end.kind for end in ends)
        self.longest_wait = max([self.longest_wait, *(end.ended - end.sent for end in ends)])
        late = [e.ended for e in ends if e.sent >= end_of_fault and e.kind != ANSWERED]
        self.heal = max([self.heal, *(ended - end_of_fault for ended in late)])

    def text(self, name: str) -> str:
        """Return it as a row of a Markdown table."""
        lost = sum(count for kind, count in self.kinds.items() if kind in LOST)
        typed = sum(self.kinds.values()) - lost - self.kinds[ANSWERED]
        detail = ", ".join(f"{n} {k}" for k, n in sorted(self.kinds.items()) if k != ANSWERED)
        return (
            f"| {name} | {self.rounds} | {self.kinds[ANSWERED]:,} | {typed:,} | {lost:,} | "
            f"{self.longest_wait:.1f} | {self.heal:.1f} | {detail} |"
        )


async def soak(stage: Stage, seconds: float, clock: SystemClock) -> dict[str, Row]:
    """Make faults in turn until the time is over."""
    rows = {"none": Row(), **{name: Row() for name in FAULTS}}
    load = Load(stage.host, stage.keys, clock)
    spans: list[tuple[str, float, float]] = []
    stop = clock.monotonic() + seconds - _LAST_ANSWERS_SECONDS
    spans.append(("none", clock.monotonic(), clock.monotonic()))
    await clock.sleep(_SETTLE_SECONDS)
    for name, fault in itertools.cycle(FAULTS.items()):
        if clock.monotonic() + _LONGEST_FAULT_SECONDS + _SETTLE_SECONDS > stop:
            break
        sys.stderr.write(f"{name} …\n")
        begin = clock.monotonic()
        await fault(stage)
        spans.append((name, begin, clock.monotonic()))
        await clock.sleep(_SETTLE_SECONDS)
    await load.stop()
    begins = [begin for _, begin, _ in spans[1:]] + [float("inf")]
    for (name, begin, end), following in zip(spans, begins, strict=True):
        rows[name].add([e for e in load.ends if begin <= e.sent < following], end)
    return rows


async def run(seconds: float) -> None:
    """Set everything up, soak it and print the table."""
    clock = SystemClock()
    async with set_up() as stage:
        before = stage.memory_and_descriptors()
        rows = await soak(stage, seconds, clock)
        after = stage.memory_and_descriptors()
    lines = [
        _HEAD,
        "|---|---:|---:|---:|---:|---:|---:|---|",
        *(row.text(name) for name, row in rows.items() if row.rounds),
        "",
        f"{seconds:.0f} s on {os.cpu_count()} cores, all processes together:",
        f"memory {before[0]:.0f} MiB before and {after[0]:.0f} after,",
        f"descriptors {before[1]} before and {after[1]} after.",
        "",
    ]
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1800.0)
    asyncio.run(run(parser.parse_args().seconds))
