"""Keeps every directory in step with the stores, the rules and the clock; a transport of its own.

It takes no requests: "starting" it begins to project, and "stopping" it wipes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, final

import structlog
from typing_extensions import override

from adapters.system.cancelling import cancel
from adapters.system.own_thread import OwnThread
from bootstrap.projection.guard import GUARDIAN_ENDED, GuardianFailedError, Lease
from domain.use_cases.follow_secrets import Absent, FollowedSecret, Held
from ports.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bootstrap.access import AccessControl
    from bootstrap.projection.arrangement import Arrangement, Arrangements
    from bootstrap.projection.deliveries import DeliveryTrail
    from bootstrap.projection.projected import Projected
    from domain.use_cases.follow_secrets import FollowSecrets
    from ports.clock import Clock
    from ports.transport import RequestHandler

TICK_SECONDS: Final = 0.2
"""How long a change of the rules, a value's end or a missing guardian goes unseen."""

OLD_SECONDS: Final = 2.0
"""How long the generation before stays, for consumers in the middle of reading it."""

FIRST_SECONDS: Final = 15.0
"""How long the start waits for the first files."""

_log = structlog.get_logger()


@final
class ProjectionAgent(Transport):
    """Projects until it is stopped.

    Args:
        arrangements: what it keeps in step, now and next.
        trail: forgets what was written, when all is to be written again.
        access: the rules in force.

    Attributes:
        guardian_problem: why there is no guardian; None while there is one.
        rounds: how often everything was read and put in force.
    """

    def __init__(
        self,
        arrangements: Arrangements,
        follow: FollowSecrets,
        trail: DeliveryTrail,
        access: AccessControl,
        clock: Clock,
    ) -> None:
        self._arrangements = arrangements
        self._follow = follow
        self._trail = trail
        self._clock = clock
        self._access = access
        self._lease = Lease(self._now.guard, clock, self._now.plan.lease_seconds)
        self._disk = OwnThread("projection")
        self._changed, self._first = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._seen: object = None
        self._old_since: float | None = None
        self.guardian_problem: str | None = None
        self.rounds = 0

    def problem(self) -> str | None:
        """Return what is not as planned, as advice; None if every file is there."""
        problems = (directory.problem() for directory in self._now.directories)
        return self.guardian_problem or next(filter(None, problems), None)

    def wake(self) -> None:
        """Read everything again at once: something has changed in the store."""
        self._changed.set()

    @property
    def directories(self) -> Sequence[Projected]:
        """What is kept in step now."""
        return self._now.directories

    @override
    async def start(self, handler: RequestHandler) -> None:
        self._task = asyncio.create_task(self._run(), name="projection")
        # What is started after this agent finds its files there, if the store gives them in time.
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.monotonic() + FIRST_SECONDS):
                await self._first.wait()

    @override
    async def stop(self, grace_seconds: float) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        await cancel({task})
        wiped = await self._disk.run(self._now.wipe)
        if wiped:
            await self._disk.run(self._now.guard.end)
        # Otherwise the guardian tries once more.
        self._disk.end()

    async def _run(self) -> None:
        alive = asyncio.create_task(self._lease.keep(), name="projection-lease")
        try:
            while True:
                try:
                    await self._take_next()
                    await self._guarded()
                    await self._round()
                    await self._wait()
                except Exception as error:  # noqa: BLE001  files must follow the rules all the same
                    _log.exception("projection.round_failed", error=type(error).__name__)
                    await self._clock.sleep(TICK_SECONDS)
        finally:
            await cancel({alive})

    async def _take_next(self) -> None:
        """Carry out another plan from now on, if there is one."""
        if not await self._arrangements.take_next(self._disk):
            return
        plan = self._now.plan
        self._lease.move(self._now.guard, plan.lease_seconds)
        self._follow.max_stale_seconds = plan.max_stale_seconds
        self._follow.keep_only(self._now.secrets)

    @property
    def _now(self) -> Arrangement:
        return self._arrangements.now

    @property
    def _is_outdated(self) -> bool:
        return self._access.policy.revision is not self._seen or self._arrangements.waits

    async def _guarded(self) -> None:
        """Start the guardian; without one there is nothing to be written."""
        while not self._now.guard.is_there:
            if self.rounds:
                _log.error("projection.guardian_ended", advice=GUARDIAN_ENDED)
                # It may have wiped because this process was frozen, for however long: the rules
                # in memory are as old as that.
                await self._access.reload()
            # Whatever ended the guardian, it may have wiped first: all is to be delivered again.
            self._trail.forget()
            try:
                await self._disk.run(self._now.guard.start)
            except GuardianFailedError as error:
                self.guardian_problem = str(error)
                _log.error("projection.unguarded", advice=str(error))
                await self._disk.run(self._now.wipe)
                await self._clock.sleep(self._lease.pause_seconds)
        self.guardian_problem = None

    async def _round(self) -> None:
        """Read everything once; take away what has ended, then put in force what there is."""
        self._changed.clear()
        self._lease.begin()
        self._seen = self._access.policy.revision
        removals: set[asyncio.Future[None]] = set()

        def ended(secret: FollowedSecret, absent: Absent) -> None:
            removals.add(self._disk.run(partial(self._now.remove, secret, absent)))

        if not await self._while_rules_hold(self._follow.refresh(self._now.secrets, ended)):
            return
        await asyncio.gather(*removals)
        if not self._lease.held:
            # What was read before this process was frozen is no longer known to hold.
            return
        await self._disk.run(self._write)
        self.rounds += 1
        self._first.set()
        self._lease.progressed()

    async def _while_rules_hold(self, work: Coroutine[None, None, None]) -> bool:
        """Do the work, or give it up as soon as other rules are in force; say whether it is done.

        A store that hangs must not keep a revoked secret in its file.
        """
        task = asyncio.create_task(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=TICK_SECONDS)
                self._lease.progressed()
                await self._expire()
                if self._is_outdated:
                    return False
            task.result()
        finally:
            await cancel({task})
        return True

    async def _wait(self) -> None:
        """Wait for a reason to read again, and take away what grows too old meanwhile."""
        began = self._clock.monotonic()
        while self._clock.monotonic() - began < self._now.refresh_seconds:
            if self._is_outdated or not self._now.guard.is_there:
                return
            with suppress(TimeoutError):
                async with self._clock.timeout_at(self._clock.monotonic() + TICK_SECONDS):
                    await self._changed.wait()
                    return
            self._lease.progressed()
            await self._expire()
            await self._drop_old()

    async def _expire(self) -> None:
        for secret, absent in self._follow.expire(self._now.secrets):
            await self._disk.run(partial(self._now.remove, secret, absent))

    def _write(self) -> None:
        now = self._clock.now()
        written = [directory.write(self._held, now) for directory in self._now.directories]
        if any(written) and self._old_since is None:
            self._old_since = self._clock.monotonic()

    async def _drop_old(self) -> None:
        since = self._old_since
        if since is None or self._clock.monotonic() - since < OLD_SECONDS:
            return
        self._old_since = None
        for directory in self._now.directories:
            await self._disk.run(directory.drop_old)

    def _held(self, secret: FollowedSecret) -> Held | None:
        state = self._follow.state(secret)
        return state if isinstance(state, Held) else None
