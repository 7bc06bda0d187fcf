"""The agent as a process: a service whose front is directories."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from adapters.access_policy.problems import AccessPolicyError
from adapters.projection.content import UnfitDirectoryError
from adapters.projection.directory import ProjectedDirectory
from bootstrap import main
from bootstrap.containers import Container
from bootstrap.projection.agent import ProjectionAgent
from bootstrap.projection.config_file import read_plan_file
from bootstrap.projection.deliveries import delivery_reads
from bootstrap.projection.guard import Guard
from bootstrap.projection.projected import Projected
from bootstrap.projection.samples import projection_samples
from bootstrap.server_keys import load_peer_keys
from bootstrap.service_failure import ServiceFailedError, ServiceMisconfiguredError
from bootstrap.settings import Problem, SettingsError
from bootstrap.store_pipeline import freshness_seconds
from domain.use_cases.follow_secrets import FollowSecrets
from ports.transport_plugin import TransportParts

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.system.service_manager import ServiceManager
    from bootstrap.projection.plan import Plan, PlannedDirectory
    from bootstrap.settings import Configuration

SHORTEST_REFRESH_SECONDS: Final = 5.0
"""Where the store's answers are not cached, every secret is still read as seldom as this."""


def project(config: Path) -> int:
    """Project the directories of a configuration file until a signal, and return the exit code."""

    def run(configuration: Configuration, manager: ServiceManager) -> None:
        plan = load_plan(config, configuration.service.v2_environment)
        container = Container(
            # WORKERS divides a replica's limits; this process has no others beside it.
            configuration=replace(configuration, workers=1),
            keys=load_peer_keys(configuration.service),
        )
        container.manager.override(manager)
        with ExitStack() as opened:
            container.front.override(_front(container, plan, opened))
            main.run_service(container.service())

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
    raise SettingsError(*problems)


def _front(container: Container, plan: Plan, opened: ExitStack) -> TransportParts:
    configuration: Configuration = container.configuration()
    settings, clock, pipeline = configuration.service, container.clock(), container.pipeline()
    directories = [Projected(planned, _taken(planned, opened)) for planned in plan.directories]
    reads, trail = delivery_reads(container)
    follow = FollowSecrets(
        reads,
        clock,
        timeout_seconds=settings.request_timeout_seconds,
        max_stale_seconds=plan.max_stale_seconds,
    )
    freshness = freshness_seconds(settings, pipeline.parts.cache_ttl_seconds)
    access = container.access()
    agent = ProjectionAgent(
        directories,
        follow,
        Guard([planned.path for planned in plan.directories], plan.lease_seconds),
        trail,
        clock,
        revision=lambda: access.policy.revision,
        read_rules=access.reload,
        refresh_seconds=plan.refresh_seconds or max(freshness, SHORTEST_REFRESH_SECONDS),
        lease_seconds=plan.lease_seconds,
    )
    pipeline.on_forget(lambda _: agent.wake())
    return TransportParts(
        agent,
        problem=agent.problem,
        samples=lambda: projection_samples(directories, agent),
        announced={"directories": str(len(directories))},
    )


def _taken(planned: PlannedDirectory, opened: ExitStack) -> ProjectedDirectory:
    """Open and lock a directory for this process.

    Raises:
        ServiceMisconfiguredError: it cannot be used as it is.
        ServiceFailedError: another agent has it.
    """
    try:
        directory = ProjectedDirectory.make(
            planned.path, planned.rights, needs_memory=planned.needs_memory
        )
    except UnfitDirectoryError as error:
        problem = f"is not used: {error.strerror}."
    except OSError as error:
        problem = f"cannot be opened ({error.strerror}); check that the folders above it exist."
    else:
        opened.callback(directory.close)
        if directory.lock():
            return directory
        raise ServiceFailedError(
            f"Another agent projects {planned.path}; stop it, or take the directory out of one of "
            "the two configurations."
        )
    raise ServiceMisconfiguredError(f"The directory {planned.path} {problem}")
