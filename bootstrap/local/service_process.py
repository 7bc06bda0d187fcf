"""The service as a child process whose log is read by its parent, and signals to stop it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from adapters.system.clock import SystemClock
from bootstrap.environment import with_this_package, without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SERVE = (sys.executable, "-m", "bootstrap.main")

_READY_SECONDS = 20.0
_STOP_SECONDS = 5.0
_LONGEST_LINE = 1 << 20
_LAST_WORDS = 5


@contextmanager
def on_stop_signal(act: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Call `act` from the running event loop for each signal that asks this process to stop."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, act, number)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


class CancelOnce:
    """Cancels the task that made it at the first signal, and lets it clean up in peace. `received`:
    the signal, once there was one.
    """

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self.received: signal.Signals | None = None

    def __call__(self, number: signal.Signals) -> None:
        """Take one signal."""
        if self.received is None and self._task is not None:
            self.received = number
            self._task.cancel()

    def check(self) -> None:
        """Cancel once more if the first time was in vain.

        `asyncio.wait_for` loses a cancellation that comes together with its result (before Python
        3.12), and nats-py waits for every reply with it.

        Raises:
            asyncio.CancelledError: there was a signal.
        """
        if self.received is not None:
            raise asyncio.CancelledError


class ServiceProcessError(Exception):
    """The service did not do what it was started for; the text ends with its last words."""


class ServiceProcess:
    """One replica, alive while the context is entered.

    It is configured by `settings` alone: neither this process's settings nor a `.env` file reach
    it. `log`: the lines of its log, as far as they have come.
    """

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        self._environment = {**surroundings(), **settings, "LOG_FORMAT": "json"}
        self._folder = folder
        self._clock = SystemClock()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self.log: list[str] = []

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise RuntimeError("enter the ServiceProcess's context first")
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Start it and wait until it serves.

        Raises:
            ServiceProcessError: it ended instead, or took too long.
        """
        self._process = process = await asyncio.create_subprocess_exec(
            *SERVE,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE,
            # Ctrl-C is for the parent, which stops it in order.
            start_new_session=True,
        )
        try:
            self._reader = asyncio.create_task(self._read(process))
            await self._wait_until_ready(self._reader)
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> int:
        """Ask it to end, kill it if it does not within 5 s, and return its exit code."""
        if self._process is None:
            raise RuntimeError("enter the ServiceProcess's context first")
        process = self._process
        if process.returncode is None:
            process.terminate()
            try:
                async with self._clock.timeout_at(self._clock.monotonic() + _STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
        code = await process.wait()
        if self._reader is not None:
            await self._reader
        return code

    def records(self, event: str) -> list[dict[str, Any]]:
        """Return the log's records of one event, in order."""
        return [record for record in map(_parse, self.log) if record.get("event") == event]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("the service's log must be a pipe")
        async for line in process.stdout:
            text = line.decode("utf-8", "replace").rstrip()
            self.log.append(text)
            if _parse(text).get("event") == "service.ready":
                self._ready.set()

    async def _wait_until_ready(self, reader: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait(
                {ready, reader}, timeout=_READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
        if not self._ready.is_set():
            last_words = "\n".join(self.log[-_LAST_WORDS:]) or "(its log is empty)"
            raise ServiceProcessError(f"The service did not get ready. Its log ends:\n{last_words}")


def surroundings() -> dict[str, str]:
    """Return this process's environment without any setting of the service."""
    return with_this_package(without_settings(os.environ))


def _parse(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
