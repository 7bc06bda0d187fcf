"""`make run`: the service in the foreground, with a nats-server of its own unless NATS_URL is set.

Exits with the service's code, or with 128 and the number of the signal that killed it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.system.clock import SystemClock
from bootstrap.local.nats_server import LocalNatsServer, NatsServerUnavailableError
from bootstrap.local.run_plan import NATS_PID, RunFolderError, lock_run_folder, plan_run
from bootstrap.local.service_process import SERVE, on_stop_signal
from bootstrap.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.local.run_plan import RunFolder, RunPlan

OK, FAILED, MISCONFIGURED, SIGNALLED = 0, 1, 2, 128

_FOLDER = ".run"
_USUAL_PORT = 4222
_SAME_SIGNAL_SECONDS = 0.5


def main() -> int:
    """Run until a signal to stop, and return the exit code."""
    try:
        with lock_run_folder(Path.cwd() / _FOLDER) as folder:
            return asyncio.run(_run(plan_run(folder), folder))
    except SettingsError as error:
        _complain(str(error))
        return MISCONFIGURED
    except (NatsServerUnavailableError, RunFolderError) as error:
        _complain(str(error))
        return FAILED


async def _run(plan: RunPlan, folder: RunFolder) -> int:
    foreground = _Foreground()
    with on_stop_signal(foreground.signalled):
        try:
            async with AsyncExitStack() as opened:
                url = None
                environment = {**os.environ, **plan.additions}
                if plan.starts_server:
                    server = await opened.enter_async_context(_server(folder))
                    url = environment["NATS_URL"] = server.url
                _explain(plan, url, folder)
                return await foreground.serve(environment)
        except asyncio.CancelledError:
            if not foreground.cancelled:
                raise
            return OK


class _Foreground:
    """The service as a child that only this process signals.

    It is in a session of its own: a terminal's Ctrl-C goes to every process of the group, and a
    service that gets two signals to stop gives up what is in flight. For the same reason signals
    within half a second count as one: make and the like pass on what the group got as well.
    `cancelled`: whether a signal came before there was a service.
    """

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._task = asyncio.current_task()
        self._child: asyncio.subprocess.Process | None = None
        self._last_passed = float("-inf")
        self.cancelled = False

    def signalled(self, number: signal.Signals) -> None:
        """Pass a signal on; the service knows that a second one means at once."""
        now = self._clock.monotonic()
        if now - self._last_passed < _SAME_SIGNAL_SECONDS:
            return
        self._last_passed = now
        if self._child is not None:
            if self._child.returncode is None:
                self._child.send_signal(
                    signal.SIGTERM if number is signal.SIGHUP else number  # a terminal has closed
                )
        elif self._task is not None and not self.cancelled:
            self.cancelled = True
            self._task.cancel()

    async def serve(self, environment: Mapping[str, str]) -> int:
        """Run the service to its end and return the exit code."""
        child = await asyncio.create_subprocess_exec(
            *SERVE, env=environment, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        self._child = child
        try:
            code = await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return code if code >= 0 else SIGNALLED - code


def _server(folder: RunFolder) -> LocalNatsServer:
    return LocalNatsServer(
        port=_USUAL_PORT if _is_free(_USUAL_PORT) else 0,
        jetstream=True,
        store_dir=folder.path / "jetstream",
        config=f"pid_file: {json.dumps(str(folder.path / NATS_PID))}",
        log_file=folder.path / "nats-server.log",
        keep_open=(folder.lock,),
    )


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _explain(plan: RunPlan, nats_url: str | None, folder: RunFolder) -> None:
    if nats_url is None:
        server = "NATS: the server that NATS_URL names"
    else:
        server = f"NATS: a server of its own on {nats_url}, open to every user of this machine"
    lines = [
        server,
        f"Secrets: {plan.store}. Kept in {folder.path}, seeds included",
        "",
        *plan.instructions(nats_url),
        "",
        "Ctrl-C stops everything. The service's log:",
        "",
        "",
    ]
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
