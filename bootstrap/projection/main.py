"""The agent as a process: a service whose front is directories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.access_policy.problems import AccessPolicyError
from bootstrap import main
from bootstrap.projection.agent import ProjectionAgent
from bootstrap.projection.arrangement import Arrangements, OpenDirectories
from bootstrap.projection.config_file import read_plan_file
from bootstrap.projection.config_watch import ConfigWatch
from bootstrap.projection.deliveries import following, refresh_seconds
from bootstrap.settings import Problem, SettingsError
from ports.plugin import Sample
from ports.transport_plugin import TransportParts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from adapters.system.service_manager import ServiceManager
    from bootstrap.containers import Container
    from bootstrap.projection.plan import Plan
    from bootstrap.projection.projected import Projected
    from bootstrap.settings import Configuration


def project(config: Path) -> int:
    """Project the directories of a configuration file until a signal, and return the exit code."""

    def run(configuration: Configuration, manager: ServiceManager) -> None:
        plan = load_plan(config, configuration.service.v2_environment)
        # WORKERS divides a replica's limits; this process has no others beside it.
        alone = replace(configuration, workers=1)
        opened = OpenDirectories()
        try:
            main.run_front(alone, manager, lambda built: _front(built, config, plan, opened))
        finally:
            opened.close()

    return main.serve(run)


def load_plan(config: Path, environment: str | None) -> Plan:
    """Read the configuration file.

    Raises:
        SettingsError: with every problem in it.
    """
    try:
        return read_plan_file(config, environment)
    except AccessPolicyError as error:
        problems = [Problem(f"{config}:", str(problem)) for problem in error.problems]
        raise SettingsError(*problems) from None


def _front(
    container: Container, config: Path, plan: Plan, opened: OpenDirectories
) -> TransportParts:
    configuration: Configuration = container.configuration()
    settings, clock, pipeline = configuration.service, container.clock(), container.pipeline()
    follow, trail = following(container, plan.max_stale_seconds)
    arrangements = Arrangements(plan, opened, refresh_seconds(container))
    agent = ProjectionAgent(arrangements, follow, trail, container.access(), clock)
    watch = ConfigWatch(
        config,
        settings.v2_environment,
        plan.source,
        lambda changed: arrangements.change(changed, agent.wake),
        clock,
    )
    pipeline.on_forget(lambda _: agent.wake())
    return TransportParts(
        agent,
        run=watch.run,
        problem=lambda: watch.problem() or agent.problem(),
        samples=lambda: projection_samples(agent.directories, agent),
        announced={"directories": str(len(plan.directories))},
    )


def projection_samples(
    directories: Sequence[Projected], agent: ProjectionAgent
) -> Iterator[Sample]:
    """Return how many files are there and how the directories have changed."""
    files = sum(len(directory.secrets) for directory in directories)
    present = sum(directory.present for directory in directories)
    writes = sum(directory.writes for directory in directories)
    failures = sum(directory.failures for directory in directories)
    guarded = agent.guardian_problem is None
    figures: list[tuple[str, str, float]] = [
        ("files", "Files that the configuration names.", files),
        ("files_present", "Files that are there, each with a value that may be used.", present),
        ("writes_total", "Generations put in force, in all directories.", writes),
        ("failures_total", "Changes that a file system refused.", failures),
        ("rounds_total", "Times that every secret was read and put in force.", agent.rounds),
        ("guarded", "1 while the process runs that wipes after this one, otherwise 0.", guarded),
    ]
    for name, meaning, value in figures:
        kind = "counter" if name.endswith("_total") else "gauge"
        yield Sample(f"projection_{name}", meaning, value, kind=kind)
