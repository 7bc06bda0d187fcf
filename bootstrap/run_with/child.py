"""The command as a process of its own: its environment, its signals, its exit code."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

from adapters.system.cancelling import cancel
from bootstrap.cli.reporting import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PASSED_ON: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_OF_A_TERMINAL: Final = frozenset({signal.SIGINT, signal.SIGQUIT})

NOT_FOUND, NOT_STARTED = 127, 126
"""What shells and env(1) exit with."""


class CommandNotStartedError(CommandError):
    """The command cannot be run; `exit_code` is as a shell has it."""

    def __init__(self, advice: str, exit_code: int) -> None:
        super().__init__(advice)
        self.exit_code = exit_code


@final
class Child:
    """One run of the command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[bytes, bytes]) -> Child:
        """Start it with this environment and no other.

        Raises:
            CommandNotStartedError: it is not there, or no program.
        """
        path = os.fsdecode(environment.get(b"PATH", os.fsencode(os.defpath)))
        try:
            process = await asyncio.create_subprocess_exec(
                *_found(command, path), env=dict(environment)
            )
        except FileNotFoundError:
            advice, code = "there is no such command", NOT_FOUND
        except OSError as error:
            advice, code = f"it cannot be run ({error.strerror})", NOT_STARTED
        else:
            return cls(process)
        raise CommandNotStartedError(f"{command[0]}: {advice}.", code)

    async def ended(self) -> int:
        """Wait for its end; return the exit code, or 128 and the number of the signal."""
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def send(self, number: int) -> None:
        """Pass a signal on; does nothing if it has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end, and kill it if it has not within the grace period."""
        self.send(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), grace_seconds)
        if self._process.returncode is None:
            self.send(signal.SIGKILL)
            await self._process.wait()


def pass_signals(send: Callable[[int], None]) -> None:
    """Have `send` called with each signal that is for the command.

    What a terminal sends reaches the command by itself: it is in the same process group.
    """
    loop = asyncio.get_running_loop()
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    for number in PASSED_ON:
        if on_terminal and number in _OF_A_TERMINAL:
            loop.add_signal_handler(number, lambda: None)
        else:
            loop.add_signal_handler(number, send, number)


async def run_once(command: Sequence[str], environment: Mapping[bytes, bytes]) -> int:
    """Run the command until it ends, and return its exit code.

    Raises:
        CommandNotStartedError: it is not there, or no program.
    """
    waiting: list[int] = []
    started: list[Child] = []

    def send(number: int) -> None:
        if started:
            started[0].send(number)
        else:
            waiting.append(number)

    pass_signals(send)
    starting = asyncio.create_task(Child.start(command, environment))
    try:
        child = await starting
    finally:
        await cancel({starting})
    started.append(child)
    for number in waiting:
        child.send(number)
    return await child.ended()


def _found(command: Sequence[str], path: str) -> list[str]:
    """Return the command with its program looked up by its own PATH, not by this process's."""
    if os.sep in command[0]:
        return list(command)
    # An empty PATH is the current folder, as execvp has it.
    program = shutil.which(command[0], path=path or os.curdir)
    if program is None:
        raise FileNotFoundError(command[0])
    return [program, *command[1:]]
