"""From the environment to checked settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bootstrap.settings.model import known_variables
from bootstrap.settings.problems import SettingsError
from bootstrap.settings.variables import DOTENV, Variables
from ports.settings import SettingsGroup

if TYPE_CHECKING:
    from pathlib import Path

_Group = TypeVar("_Group", bound=SettingsGroup)


def load_settings(group: type[_Group], env_file: Path | None = DOTENV) -> _Group:
    """Read one group of settings from the environment and a `.env` file.

    Variables win over the file, which need not exist.

    Raises:
        SettingsError: with every problem found, of the settings and of the files that they name.
    """
    variables = Variables.read(env_file)
    problems = variables.unusable_of_libraries()
    if variables.file_is_used:
        problems += variables.unknown_in_file(known_variables())
    settings: _Group | None = None
    try:
        settings = variables.load(group)
    except SettingsError as error:
        problems += error.problems
    else:
        problems += settings.unusable()
    if settings is None or problems:
        raise SettingsError(*problems)
    return settings
