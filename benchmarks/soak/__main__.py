"""`make soak`: faults one after the other under load, and one table of what hosts met.

Everything runs on a loopback of its own, against nothing but what this starts, and ends by the
given time.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.system.clock import SystemClock
from benchmarks.soak.faults import FAULTS
from benchmarks.soak.namespaces import NamespacesUnavailableError, enter_namespaces
from benchmarks.soak.rows import HEAD, Span, rows_of
from benchmarks.soak.stage import LASTS_SECONDS, set_up
from benchmarks.soak.usage import UsageLog

if TYPE_CHECKING:
    from benchmarks.soak.stage import Fault, Stage

_SETTLE_SECONDS = 12.0
"""Between faults, and longer than hosts wait: a request that got no reply ends before the next
fault begins."""

_LONGEST_FAULT_SECONDS = LASTS_SECONDS + 3.0


async def soak(
    stage: Stage, seconds: float, faults: dict[str, Fault], clock: SystemClock
) -> list[Span]:
    """Make faults in turn until the time is over, and let the last requests end."""
    stop = clock.monotonic() + seconds - _SETTLE_SECONDS
    spans = [Span("none", clock.monotonic(), clock.monotonic())]
    stage.load.start()
    await clock.sleep(_SETTLE_SECONDS)
    for name, fault in itertools.cycle(faults.items()):
        if clock.monotonic() + _LONGEST_FAULT_SECONDS + _SETTLE_SECONDS > stop:
            break
        sys.stderr.write(f"{clock.monotonic() - spans[0].begin:6.0f} s  {name}\n")
        begin = clock.monotonic()
        await fault(stage)
        spans.append(Span(name, begin, clock.monotonic()))
        await clock.sleep(_SETTLE_SECONDS)
    await stage.load.stop()
    return spans


async def run(seconds: float, faults: dict[str, Fault], log: Path | None) -> None:
    """Set everything up, soak it and print the table."""
    clock = SystemClock()
    loads = [os.getloadavg()[0]]
    async with set_up(seconds) as stage:
        usage = UsageLog(stage.processes)
        watching = asyncio.create_task(usage.run())
        spans = await soak(stage, seconds, faults, clock)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        if log is not None:
            await asyncio.to_thread(log.write_text, stage.service.output, "utf-8")
        load = stage.load
    loads.append(os.getloadavg()[0])
    rows = rows_of(load.ends, spans)
    requests = (
        f"{seconds:.0f} s on {os.cpu_count()} cores, load average {loads[0]:.1f} before and "
        f"{loads[1]:.1f} at the end; {len(load.ends):,} requests, {load.answered_twice} with more "
        "than one reply."
    )
    lines = [HEAD, *(row.text(name) for name, row in rows.items()), "", requests, usage.text(), ""]
    sys.stdout.write("\n".join(lines))


def main() -> None:
    """Run in namespaces of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--log", type=Path, help="where to write the service's log")
    options = parser.parse_args()
    faults = {name: fault for name, fault in FAULTS.items() if options.only in name}
    try:
        enter_namespaces()
        asyncio.run(run(options.seconds, faults, options.log))
    except NamespacesUnavailableError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
