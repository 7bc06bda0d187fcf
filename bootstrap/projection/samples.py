"""The agent's figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bootstrap.projection.agent import ProjectionAgent
    from bootstrap.projection.projected import Projected


def projection_samples(
    directories: Sequence[Projected], agent: ProjectionAgent
) -> Iterable[Sample]:
    """Return how many files are there and how the directories have changed."""
    return (
        Sample(
            "projection_files",
            "Files that the configuration names.",
            sum(len(directory.secrets) for directory in directories),
        ),
        Sample(
            "projection_files_present",
            "Files that are there, each with a value that may be used.",
            sum(directory.present for directory in directories),
        ),
        Sample(
            "projection_writes_total",
            "Generations put in force, in all directories.",
            sum(directory.writes for directory in directories),
            kind="counter",
        ),
        Sample(
            "projection_failures_total",
            "Changes that a file system refused.",
            sum(directory.failures for directory in directories),
            kind="counter",
        ),
        Sample(
            "projection_rounds_total",
            "Times that every secret was read and put in force.",
            agent.rounds,
            kind="counter",
        ),
        Sample(
            "projection_guarded",
            "1 while the process runs that wipes after this one, otherwise 0.",
            agent.guardian_problem is None,
        ),
    )
