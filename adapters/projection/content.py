"""What a projected directory is filled with, and who may read it."""

from __future__ import annotations

from dataclasses import dataclass, field

PRIVATE = 0o700


class UnfitDirectoryError(OSError):
    """The directory is not used as it is; `strerror` says why and what to do."""


@dataclass(frozen=True, slots=True)
class ProjectedContent:
    """One file of a generation.

    Attributes:
        mode: its permission bits.
        owner: the numbers of its user and group, -1 for this process's own.
    """

    name: str
    data: bytes = field(repr=False)
    mode: int
    owner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class DirectoryRights:
    """Who may enter the directory and its generations; both belong to this process's user. `group`:
    the number of its group, -1 for this process's own.
    """

    mode: int = PRIVATE
    group: int = -1
