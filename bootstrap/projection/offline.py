"""What `project` does without a store: look at the configuration, or wipe after an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.projection.directory import ProjectedDirectory
from bootstrap.containers import Container
from bootstrap.projection.host_config import HostConfig, host_config
from bootstrap.projection.main import load_plan
from bootstrap.server_keys import load_peer_keys
from bootstrap.settings import SettingsError, load_configuration, load_settings
from bootstrap.settings.wasmcloud2 import Wasmcloud2Settings

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.projection.plan import Plan, PlannedFile


def checked(config: Path) -> Plan:
    """Return the plan of a configuration file.

    Raises:
        SettingsError: with every problem in it.
    """
    return load_plan(config, load_settings(Wasmcloud2Settings).v2_environment)


def wiped(config: Path) -> list[str]:
    """Remove all files of every directory that no agent has; return what could not be removed.

    Raises:
        SettingsError: the file has problems.
    """
    left = []
    for planned in checked(config).directories:
        try:
            found = ProjectedDirectory.found(planned.path)
            if found is None:
                continue
            if found.lock():
                found.wipe()
            else:
                left.append(f"An agent that runs has {planned.path}; stop it first.")
            found.close()
        except OSError as error:
            left.append(f"{planned.path} could not be wiped ({error.strerror}).")
    return left


async def labelled_secrets(config: Path) -> HostConfig:
    """Return a host's configuration for the directories of an agent's configuration file.

    Raises:
        SettingsError: the settings, the file or the access policy have problems.
    """
    configuration = load_configuration()
    if problems := configuration.unusable():
        raise SettingsError(*problems)
    plan = load_plan(config, configuration.service.v2_environment)
    container = Container(configuration=configuration, keys=load_peer_keys(configuration.service))
    await container.access().load()
    authorize = container.authorize()

    def refusal(file: PlannedFile) -> str | None:
        access = authorize.for_workload(file.secret.workload, file.secret.wanted)
        if not access.decision.allowed:
            return f"no rule allows it ({access.decision.reason})"
        return None if access.location is not None else "its reference names no secret of the store"

    return host_config(plan, refusal)
