"""Which of the planned secrets the rules let their consumers have, asked without any store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.containers import Container
from bootstrap.projection.host_config import HostConfig, host_config
from bootstrap.projection.main import load_plan
from bootstrap.server_keys import load_peer_keys
from bootstrap.settings import SettingsError, load_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.projection.plan import PlannedFile


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
