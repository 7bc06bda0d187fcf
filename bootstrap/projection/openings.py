"""The directories that an agent has open and locked, while its plan changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from adapters.projection.content import UnfitDirectoryError
from adapters.projection.directory import ProjectedDirectory
from bootstrap.service_failure import ServiceFailedError, ServiceMisconfiguredError

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.projection.plan import Plan, PlannedDirectory


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
                if planned.path in self._open:
                    _adapted(self._open[planned.path], planned)
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
    try:
        directory = ProjectedDirectory.make(
            planned.path, planned.rights, needs_memory=planned.needs_memory
        )
    except OSError as error:
        failure = _failure(planned, error)
    else:
        if directory.lock():
            return directory
        directory.close()
        raise ServiceFailedError(
            f"Another agent projects {planned.path}; stop it, or take the directory out of one of "
            "the two configurations."
        )
    raise failure


def _adapted(directory: ProjectedDirectory, planned: PlannedDirectory) -> None:
    try:
        directory.prepare(planned.rights, needs_memory=planned.needs_memory)
    except OSError as error:
        failure = _failure(planned, error)
    else:
        return
    raise failure


def _failure(planned: PlannedDirectory, error: OSError) -> ServiceMisconfiguredError:
    if isinstance(error, UnfitDirectoryError):
        problem = f"is not used: {error.strerror}."
    else:
        problem = f"cannot be opened ({error.strerror}); check that the folders above it exist."
    return ServiceMisconfiguredError(f"The directory {planned.path} {problem}")
