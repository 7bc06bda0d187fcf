"""wasmCloud's own secrets-nats-kv as a process that is measured."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from typing import TYPE_CHECKING, Final, Self

import nats

from adapters.nats.subjects import SecretsSubjects
from benchmarks.process_usage import cpu_seconds, resident_bytes
from domain.model.transport import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME: Final = "nats-kv"
BUCKET: Final = "WASMCLOUD_SECRETS"
_READY_SECONDS: Final = 10.0


class NatsKvPeer:
    """`secrets-nats-kv run`, built by `cargo install secrets-nats-kv --version 0.2.0`.

    Args:
        binary: the program.
        port: of the nats-server.
        environment: both xkey seeds, by the names that the program reads.

    Attributes:
        seconds_to_ready: from its start until it answered with its xkey.
    """

    def __init__(self, binary: Path, port: int, environment: Mapping[str, str]) -> None:
        self._binary = str(binary)
        self._address = f"127.0.0.1:{port}"
        self._environment = {"PATH": os.environ.get("PATH", ""), "RUST_LOG": "info", **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self.seconds_to_ready = 0.0

    async def __aenter__(self) -> Self:
        began = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603  a program that the caller named
            [self._binary, "run", "--nats-address", self._address],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await answers(self._address, NAME)
        self.seconds_to_ready = time.perf_counter() - began
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise RuntimeError("enter its context first")
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used so far."""
        return cpu_seconds(self.pid)

    def resident_bytes(self) -> int:
        """Return the memory that it has in RAM now."""
        return resident_bytes(self.pid)

    async def put(self, name: str, value: str) -> None:
        """Store a secret."""
        await self._command("put", name, "--string", value)

    async def allow(self, component: str, *names: str) -> None:
        """Let a component read some secrets."""
        wanted = [part for name in names for part in ("--secret", name)]
        await self._command("add-mapping", component, *wanted)

    async def _command(self, command: str, *arguments: str) -> None:
        done = await asyncio.create_subprocess_exec(
            *(self._binary, command, *arguments, "--nats-address", self._address),
            env=self._environment,
            stdout=subprocess.DEVNULL,
        )
        if await done.wait():
            raise RuntimeError(f"{self._binary} {command} failed")


async def answers(address: str, backend: str) -> None:
    """Wait until a backend answers with its xkey."""
    client = await nats.connect(f"nats://{address}")
    subject = SecretsSubjects(backend=backend).of(Operation.SERVER_XKEY)
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                try:
                    await client.request(subject, b"", timeout=1.0)
                except nats.errors.NoRespondersError:
                    await asyncio.sleep(0.002)
                else:
                    return
    finally:
        await client.close()
