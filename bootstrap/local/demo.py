"""`make demo`: a real nats-server, the service as its own process, and a host that asks it.

It tells what it does and checks every claim it makes. Exit codes: 0 all as it should be, 1
something differs, 130 and the like when interrupted. Nothing is left behind.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adapters.nats.connect_errors import NatsConnectError
from adapters.system.clock import SystemClock
from adapters.telemetry.log_setup import configure_logging
from bootstrap.local.demo_stage import DemoFailedError, DemoReport, check, set_up
from bootstrap.local.demo_story import DemoStory
from bootstrap.local.nats_server import NatsServerUnavailableError
from bootstrap.local.service_process import CancelOnce, ServiceProcessError, on_stop_signal
from domain.model.errors import SecretsError
from domain.model.replies import MalformedReplyError
from ports.transport import ChannelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ports.clock import Clock

OK, FAILED, SIGNALLED = 0, 1, 128

_LONGEST_SECONDS = 60.0
_LAST_LINES = 10

_EXPLANATION = (
    "A real nats-server, the service as a process of its own, and this program in the part of a "
    "wasmCloud host. All keys and values are made up for this run."
)

_EXPECTED_FAILURES = (
    ChannelError,
    DemoFailedError,
    MalformedReplyError,
    NatsConnectError,
    NatsServerUnavailableError,
    OSError,
    SecretsError,
    ServiceProcessError,
)


def main() -> int:
    """Play the demo and return the exit code."""
    # Its own reports say what goes wrong; the libraries' records would only stand between them.
    configure_logging("error", "auto")
    return asyncio.run(_guarded())


async def _guarded() -> int:
    clock = SystemClock()
    cancel = CancelOnce()
    with on_stop_signal(cancel):
        try:
            async with clock.timeout_at(clock.monotonic() + _LONGEST_SECONDS):
                await _play(clock)
            cancel.check()
        except asyncio.CancelledError:
            if cancel.received is None:
                raise
            _complain("Interrupted. Everything is stopped and removed.")
            return SIGNALLED + cancel.received
        except TimeoutError:
            _complain(f"The demo failed: it took longer than {_LONGEST_SECONDS:.0f} s.")
        except _EXPECTED_FAILURES as error:
            _complain(f"The demo failed: {error}")
        else:
            return OK
    return FAILED


async def _play(clock: Clock) -> None:
    started = clock.monotonic()
    report = DemoReport()
    report.say("wasmCloud secrets: a demo on this machine alone", "bold")
    report.say(_EXPLANATION, "dim")
    with TemporaryDirectory(prefix="wasmcloud-secrets-demo-") as name:
        folder = Path(name)
        async with set_up(folder, clock) as stage:
            story = DemoStory(stage, report)
            try:
                await story.tell()
            except _EXPECTED_FAILURES:
                _complain("\n".join(("The service's log ends:", *stage.service.log[-_LAST_LINES:])))
                raise
            processes = (stage.nats.pid, stage.service.pid)
        code = await stage.service.stop()
    report.heading("Stopped")
    check(code == 0, f"the service ended with exit code {code} instead of 0")
    stage.check_log(story.requests, story.values.confidential)
    _check_nothing_is_left(folder, processes)
    report.facts(
        [
            ("service", f"exit code {code}"),
            ("its log", f"{story.requests} requests, each audited once; no value, token or seed"),
            ("left behind", "no process, no folder"),
        ]
    )
    seconds = clock.monotonic() - started
    report.say("")
    report.say(f"All of this was checked, in {seconds:.1f} s.", "bold green")
    report.say("Next: `make run` keeps the same server and service for secrets of your own.")


def _check_nothing_is_left(folder: Path, processes: Iterable[int]) -> None:
    check(not folder.exists(), "the temporary folder is still there")
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            raise DemoFailedError(f"process {pid} is still there")


def _complain(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"\n{text}\n")


if __name__ == "__main__":
    sys.exit(main())
