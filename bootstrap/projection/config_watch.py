"""Follows the agent's configuration file: each change that is good is put in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, final

import structlog

from adapters.access_policy.problems import AccessPolicyError
from adapters.system.own_thread import POLL_SECONDS, OwnThread, settled
from bootstrap.closing import ServiceFailedError, ServiceMisconfiguredError
from bootstrap.projection.config_file import read_plan, read_plan_bytes
from bootstrap.projection.guard import GuardianFailedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from adapters.access_policy.problems import PolicyProblem
    from bootstrap.projection.plan import Plan
    from ports.clock import Clock

MAX_LOGGED: Final = 20

_Content: TypeAlias = "bytes | tuple[PolicyProblem, ...]"
"""What was found on disk: bytes, or the problems of not finding any."""

_log = structlog.get_logger()


@final
@dataclass(eq=False)
class ConfigWatch:
    """Looks at the file as the access policy's is looked at: by its content.

    Attributes:
        environment: that of consumers for whom the file names none.
        seen: the content in force.
        change: puts a plan in force, as `bootstrap.projection.arrangement.Arrangements.change`.
    """

    path: Path
    environment: str | None
    seen: _Content
    change: Callable[[Plan], Awaitable[None]]
    clock: Clock
    _thread: OwnThread = field(init=False, default_factory=lambda: OwnThread("projection-config"))
    _refused: str | None = field(init=False, default=None)

    def problem(self) -> str | None:
        """Return why the file as it is now is not in force; None if it is."""
        return self._refused

    async def run(self) -> None:
        """Follow the file until cancelled."""
        while True:
            await self.clock.sleep(POLL_SECONDS)
            content: _Content = await settled(self._read, self.seen, self.clock)
            if content != self.seen:
                self.seen = content
                await self._apply(content)

    async def _read(self) -> _Content:
        return await self._thread.run(lambda: _content(self.path))

    async def _apply(self, content: _Content) -> None:
        if not isinstance(content, bytes):
            self._refuse([str(problem) for problem in content])
            return
        try:
            plan = await self._thread.run(lambda: read_plan(content, self.environment))
            await self.change(plan)
        except AccessPolicyError as error:
            self._refuse([str(problem) for problem in error.problems])
        except (ServiceMisconfiguredError, ServiceFailedError, GuardianFailedError) as error:
            self._refuse([str(error)])
        else:
            self._refused = None
            _log.info("projection.config_loaded", directories=len(plan.directories))

    def _refuse(self, mistakes: list[str]) -> None:
        self._refused = (
            f"{self.path} as it is now is not in force, and what it said before is: {mistakes[0]}"
        )
        _log.error(
            "projection.config_refused",
            file=str(self.path),
            mistakes=mistakes[:MAX_LOGGED],
            mistakes_found=len(mistakes),
        )


def _content(path: Path) -> _Content:
    try:
        return read_plan_bytes(path)
    except AccessPolicyError as error:
        return error.problems
