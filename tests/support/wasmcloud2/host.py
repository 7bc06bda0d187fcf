"""A released wasmCloud 2 host as a process, and what its operator says to it over NATS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Self

from bootstrap.environment import without_settings
from tests.support.wasmcloud2 import tools

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nats.aio.client import Client

    from tests.support.wasmcloud2.workload import Workload

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_CONTROL_SECONDS = 60.0
_ANSWER_SECONDS = 5.0
HEARTBEATS = "runtime.operator.heartbeat.*"


class WashHost:
    """`wash host` with a folder, a registry without TLS and no other host's identity.

    Entering waits for its first heartbeat; leaving ends the process.

    Args:
        operator: a client that hears heartbeats and may send on `runtime.host.>`; in tests of a
            relay another one than the host's own.
        folder: its project folder; `.wash/config.yaml` there is read.
        scheduler_url: where the host hears its operator.
        data_url: where its components' messages go; the scheduler's if it is empty.
        environment: further variables of the process.
        arguments: further arguments of `wash host`.
        wrapper: a command that is given the host's own command line, such as `exec`.
    """

    def __init__(
        self,
        operator: Client,
        folder: Path,
        scheduler_url: str,
        *,
        data_url: str = "",
        environment: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self._operator = operator
        self._folder = folder
        self._urls = scheduler_url, data_url or scheduler_url
        self._environment = dict(environment or {})
        self._arguments = arguments
        self._wrapper = wrapper
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._lines: list[str] = []
        self.id = ""

    @property
    def output(self) -> str:
        """Everything it has written so far."""
        return "\n".join(self._lines)

    def configure(self, text: str) -> None:
        """Write its `.wash/config.yaml`, which it reads when it starts."""
        folder = self._folder / ".wash"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(text, "utf-8")

    async def __aenter__(self) -> Self:
        heard = await self._operator.subscribe(HEARTBEATS)
        await self._operator.flush()
        await self.start()
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not self.id:
                    await self._hear(heard)
        except TimeoutError:
            await self.__aexit__()
            raise AssertionError(f"no heartbeat came:\n{self.output}") from None
        except BaseException:
            await self.__aexit__()
            raise
        finally:
            await heard.unsubscribe()
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        if process.returncode is None:
            process.kill()
        await self.ended()

    async def start(self) -> None:
        """Start the process without waiting for anything."""
        scheduler, data = self._urls
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *self._wrapper,
            tools.wash(),
            "-C",
            str(self._folder),
            "host",
            "--non-interactive",
            *("--scheduler-nats-url", scheduler),
            *("--data-nats-url", data),
            *("--http-addr", "127.0.0.1:0"),
            "--allow-insecure-registries",
            *self._arguments,
            cwd=self._folder,
            env={
                **without_settings(os.environ),
                # Its caches and a user's configuration: of this host alone.
                "HOME": str(self._folder),
                "NO_COLOR": "1",
                **self._environment,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read())

    async def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        assert self._process is not None
        assert self._reader is not None
        async with asyncio.timeout(_START_SECONDS):
            code = await self._process.wait()
            await self._reader
        return code

    async def start_workload(self, workload_id: str, workload: Workload) -> tuple[str, str]:
        """Start a workload; return its state without `WORKLOAD_STATE_`, and the host's message."""
        return await self.control("start", workload.start_request(workload_id))

    async def stop_workload(self, workload_id: str) -> tuple[str, str]:
        return await self.control("stop", {"workloadId": workload_id})

    async def workload_status(self, workload_id: str) -> tuple[str, str]:
        return await self.control("status", {"workloadId": workload_id})

    async def control(self, verb: str, body: Mapping[str, Any]) -> tuple[str, str]:
        """Send `workload.{verb}`; return the state and the message of the answer."""
        subject = f"runtime.host.{self.id}.workload.{verb}"
        reply = await self._operator.request(
            subject, json.dumps(body).encode(), timeout=_CONTROL_SECONDS
        )
        status = json.loads(reply.data)["workloadStatus"]
        return status["workloadState"].removeprefix("WORKLOAD_STATE_"), status.get("message", "")

    async def _hear(self, heard: Any) -> None:
        with contextlib.suppress(TimeoutError):
            message = await heard.next_msg(timeout=0.2)
            self.id = message.subject.rsplit(".", 1)[1]
        assert self._process is not None
        assert self._process.returncode is None, f"it ended:\n{self.output}"

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._lines.append(line.decode("utf-8", "replace").rstrip("\n"))


async def ask(data: Client, subject: str, command: str) -> bytes:
    """Ask a component of tests/support/wasmcloud2/component; its answer begins with its kind."""
    reply = await data.request(subject, command.encode(), timeout=_ANSWER_SECONDS)
    return reply.data
