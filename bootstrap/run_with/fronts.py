"""What reads the secrets of a command: once, or again and again while the command runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import structlog
from typing_extensions import override

from adapters.system.cancelling import cancel
from bootstrap.run_with.child import Child
from bootstrap.run_with.request import RefusedError, environment_with, variables
from ports.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bootstrap.run_with.request import Run
    from domain.use_cases.follow_secrets import FollowSecrets
    from ports.clock import Clock
    from ports.transport import RequestHandler

_TICK_SECONDS = 0.2

_log = structlog.get_logger()


async def read(run: Run, follow: FollowSecrets) -> dict[bytes, bytes]:
    """Return the variables of a command.

    Raises:
        RefusedError: one of its secrets cannot be had.
    """
    await follow.refresh(run.secrets, lambda *_: None)
    return variables({secret: follow.state(secret) for secret in run.secrets})


def _nothing_read() -> RefusedError:
    return RefusedError("Nothing was read.")


@final
@dataclass(eq=False)
class ReadOnce(Transport):
    """Reads, and has the service stop. `outcome`: the variables, or why there are none."""

    run: Run
    follow: FollowSecrets
    stopping: asyncio.Event
    outcome: dict[bytes, bytes] | RefusedError = field(default_factory=_nothing_read)

    @override
    async def start(self, handler: RequestHandler) -> None:
        try:
            self.outcome = await read(self.run, self.follow)
        except RefusedError as error:
            self.outcome = error
        self.stopping.set()

    @override
    async def stop(self, grace_seconds: float) -> None:
        """There is nothing under way."""


@final
@dataclass(eq=False)
class RunWatched(Transport):
    """Runs the command, and starts it again with other variables whenever a secret changes.
    `outcome`: the command's exit code, or the exception that ended it.
    """

    run: Run
    follow: FollowSecrets
    clock: Clock
    stopping: asyncio.Event
    inherited: Mapping[str, str]
    revision: Callable[[], object]
    refresh_seconds: float
    outcome: int | Exception = field(default_factory=_nothing_read)
    _changed: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = field(init=False, default=None)
    _child: Child | None = field(init=False, default=None)

    def wake(self) -> None:
        """Read everything again at once: something has changed in the store."""
        self._changed.set()

    def send(self, number: int) -> None:
        """Pass a signal on to the command; before there is one it ends all."""
        if self._child is None:
            self.outcome = 128 + number
            self.stopping.set()
        else:
            self._child.send(number)

    @override
    async def start(self, handler: RequestHandler) -> None:
        self._task = asyncio.create_task(self._watch(), name="exec")

    @override
    async def stop(self, grace_seconds: float) -> None:
        task, self._task = self._task, None
        if task is not None:
            await cancel({task})
        if self._child is not None:
            await self._child.stop(self.run.grace_seconds)

    async def _watch(self) -> None:
        try:
            self.outcome = await self._run_until_it_ends()
        except Exception as error:  # noqa: BLE001  the command line says what it was
            self.outcome = error
        self.stopping.set()

    async def _run_until_it_ends(self) -> int:
        given = await read(self.run, self.follow)
        while True:
            environment = environment_with(self.inherited, given)
            self._child = child = await Child.start(self.run.command, environment)
            ended = asyncio.create_task(child.ended())
            try:
                given = await self._other_than(given, ended)
                if ended.done():
                    return ended.result()
                _log.warning("exec.restarted", reason="a secret has changed")
                await child.stop(self.run.grace_seconds)
            finally:
                await cancel({ended})

    async def _other_than(
        self, given: dict[bytes, bytes], ended: asyncio.Task[int]
    ) -> dict[bytes, bytes]:
        """Return the variables once they differ, or the same ones once the command has ended."""
        while not ended.done():
            seen = self.revision()
            until = self.clock.monotonic() + self.refresh_seconds
            while (
                self.clock.monotonic() < until
                and not self._changed.is_set()
                and self.revision() is seen
                and not ended.done()
            ):
                with suppress(TimeoutError):
                    async with self.clock.timeout_at(self.clock.monotonic() + _TICK_SECONDS):
                        await asyncio.wait({ended})
            if ended.done():
                break
            self._changed.clear()
            self.follow.expire(self.run.secrets)
            now = await read(self.run, self.follow)
            if now != given:
                return now
        return given
