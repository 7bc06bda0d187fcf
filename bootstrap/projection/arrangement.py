"""A plan as the agent carries it out: directories open and locked, and a guardian for them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar, final

from adapters.projection.content import UnfitDirectoryError
from adapters.projection.directory import ProjectedDirectory
from bootstrap.closing import ServiceFailedError, ServiceMisconfiguredError
from bootstrap.projection.guard import Guard, GuardianFailedError
from bootstrap.projection.projected import Projected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.system.own_thread import OwnThread
    from bootstrap.projection.plan import Plan, PlannedDirectory
    from domain.use_cases.follow_secrets import Absent, FollowedSecret

_Result = TypeVar("_Result")


@final
class OpenDirectories:
    """Opens each directory of a plan once, and keeps it open while a plan has it. Blocks."""

    def __init__(self) -> None:
        self._open: dict[Path, ProjectedDirectory] = {}

    def take(self, plan: Plan) -> list[ProjectedDirectory]:
        """Return the plan's directories in its order, open and locked, with the rights it gives.

        Raises:
            ServiceMisconfiguredError: one cannot be used as it is; those from before stay open.
            ServiceFailedError: another agent has it; as above.
        """
        new: dict[Path, ProjectedDirectory] = {}
        try:
            for planned in plan.directories:
                if planned.path not in self._open:
                    new[planned.path] = _opened(planned)
            for planned in plan.directories:
                if (directory := self._open.get(planned.path)) is not None:
                    prepare = partial(
                        directory.prepare, planned.rights, needs_memory=planned.needs_memory
                    )
                    _usable(planned, prepare)
        except BaseException:
            for directory in new.values():
                directory.close()
            raise
        self._open |= new
        return [self._open[planned.path] for planned in plan.directories]

    def keep_only(self, plan: Plan) -> None:
        """Close, and so unlock, what the plan has not."""
        for path in self._open.keys() - {planned.path for planned in plan.directories}:
            self._open.pop(path).close()

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            self._open.popitem()[1].close()


def _opened(planned: PlannedDirectory) -> ProjectedDirectory:
    make = partial(
        ProjectedDirectory.make, planned.path, planned.rights, needs_memory=planned.needs_memory
    )
    directory = _usable(planned, make)
    if directory.lock():
        return directory
    directory.close()
    raise ServiceFailedError(
        f"Another agent projects {planned.path}; stop it, or take the directory out of one of the "
        "two configurations."
    )


def _usable(planned: PlannedDirectory, work: Callable[[], _Result]) -> _Result:
    try:
        return work()
    except UnfitDirectoryError as error:
        problem = f"is not used: {error.strerror}."
    except OSError as error:
        problem = f"cannot be opened ({error.strerror}); check that the folders above it exist."
    raise ServiceMisconfiguredError(f"The directory {planned.path} {problem}")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the agent keeps in step.

    Attributes:
        guard: wipes the plan's directories after this process.
        refresh_seconds: the pause between two reads of every secret.
    """

    plan: Plan
    directories: tuple[Projected, ...]
    guard: Guard
    refresh_seconds: float

    @property
    def secrets(self) -> list[FollowedSecret]:
        """Those of all files."""
        return [secret for directory in self.directories for secret in directory.secrets]

    def remove(self, secret: FollowedSecret, absent: Absent) -> None:
        """Take the file of a secret away at once, for the reason given. Blocks."""
        for directory in self.directories:
            directory.remove(secret, absent)

    def wipe(self) -> bool:
        """Remove every file; say whether all are gone. Blocks."""
        # All of them, whatever became of the first.
        wiped = [directory.wipe() for directory in self.directories]
        return all(wiped)


@final
class Arrangements:
    """The plan that is carried out, and the one that is to be next.

    Args:
        opened: what is open; what no plan has any more is closed.
        least_refresh_seconds: the pause where a plan has none.

    Raises:
        ServiceMisconfiguredError: a directory cannot be used as it is.
        ServiceFailedError: another agent has one.
    """

    def __init__(self, plan: Plan, opened: OpenDirectories, least_refresh_seconds: float) -> None:
        self._opened = opened
        self._least_refresh_seconds = least_refresh_seconds
        self._next: tuple[Arrangement, asyncio.Future[None]] | None = None
        self.now = self._arranged(plan)

    @property
    def waits(self) -> bool:
        """Whether there is a next one."""
        return self._next is not None

    async def change(self, plan: Plan, wake: Callable[[], None]) -> None:
        """Have a plan carried out from the next round on; return once that is decided. `wake`:
        called once it waits.

        Directories that are in both keep their files until these are written again; others are
        wiped. On an error all stays as it was.

        Raises:
            GuardianFailedError: there is no guardian for it.
            ServiceMisconfiguredError: as when this was made, and so ServiceFailedError.
        """
        arrangement = await asyncio.to_thread(self._arranged, plan)
        decided = asyncio.get_running_loop().create_future()
        self._next = arrangement, decided
        wake()
        await decided

    async def take_next(self, disk: OwnThread) -> bool:
        """Carry out the next plan from now on; False if there is none, or no guardian for it."""
        if self._next is None:
            return False
        (after, decided), self._next = self._next, None
        try:
            # Before anything is written, and while the guardian before it guards on.
            await disk.run(after.guard.start)
        except GuardianFailedError as error:
            self._opened.keep_only(self.now.plan)
            decided.set_exception(error)
            return False
        before, self.now = self.now, after
        await disk.run(lambda: self._leave(before))
        decided.set_result(None)
        return True

    def _arranged(self, plan: Plan) -> Arrangement:
        directories = self._opened.take(plan)
        return Arrangement(
            plan,
            tuple(map(Projected, plan.directories, directories)),
            Guard([planned.path for planned in plan.directories], plan.lease_seconds),
            plan.refresh_seconds or self._least_refresh_seconds,
        )

    def _leave(self, before: Arrangement) -> None:
        """Wipe what is not in the plan any more; what cannot be wiped is left to its guardian."""
        kept = {planned.path for planned in self.now.plan.directories}
        wiped = [each.wipe() for each in before.directories if each.path not in kept]
        if all(wiped):
            before.guard.end()
        else:
            before.guard.leave()
        # At once, however long the first reads take.
        for each in self.now.directories:
            each.drop_others()
        self._opened.keep_only(self.now.plan)
