"""What the agent projects: directories, whom each is for, and the secrets that its files hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.projection.content import DirectoryRights
    from domain.model.workload import Workload
    from domain.use_cases.follow_secrets import FollowedSecret

MAX_STALE_SECONDS: Final = 300.0
LEASE_SECONDS: Final = 30.0
SHORTEST_LEASE_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file.

    Attributes:
        mode: its permission bits.
        owner: the numbers of its user and group, -1 for this process's own.
    """

    secret: FollowedSecret
    mode: int
    owner: tuple[int, int]

    @property
    def name(self) -> str:
        """Its name in the directory."""
        return self.secret.name


@dataclass(frozen=True, slots=True)
class PlannedDirectory:
    """One directory and its one consumer. `needs_memory`: whether it is refused on a file system
    that is not memory alone.
    """

    path: Path
    consumer: Workload
    files: tuple[PlannedFile, ...]
    rights: DirectoryRights
    needs_memory: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration file without problems.

    Attributes:
        max_stale_seconds: how old a value gets that the store does not confirm.
        lease_seconds: for how long files outlive an agent that was killed.
        refresh_seconds: the pause between two reads of every file; None for the cache's freshness.
        source: what the file held.
    """

    directories: tuple[PlannedDirectory, ...]
    max_stale_seconds: float = MAX_STALE_SECONDS
    lease_seconds: float = LEASE_SECONDS
    refresh_seconds: float | None = None
    source: bytes = field(default=b"", repr=False)
