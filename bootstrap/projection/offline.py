"""What `project` does without a store: look at the configuration, or wipe after an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.projection.directory import ProjectedDirectory
from bootstrap.projection.main import load_plan
from bootstrap.settings import load_settings
from bootstrap.settings.wasmcloud2 import Wasmcloud2Settings

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.projection.plan import Plan


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
