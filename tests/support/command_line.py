"""`wasmcloud-secrets` as a process of its own, with the settings of a service."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from tests.support.service_process import ROOT

if TYPE_CHECKING:
    from pathlib import Path


class CommandLine:
    """Runs commands with the service's settings."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        self._environment = {"PYTHONPATH": str(ROOT), **settings}
        self._folder = folder

    async def run(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """Return the exit code, stdout and stderr."""
        process = await self.start(*arguments)
        out, err = await process.communicate(stdin)
        return process.returncode or 0, out, err.decode()

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command that is not meant to end by itself."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bootstrap.cli", *arguments),
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
