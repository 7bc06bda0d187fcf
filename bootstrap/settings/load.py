"""From the environment to checked settings."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bootstrap.settings.dotenv_file import DotEnvFileError, dotenv_of
from bootstrap.settings.group import SettingsGroup, problem_of
from bootstrap.settings.problems import Problem, SettingsError

DOTENV = Path(".env")

_Group = TypeVar("_Group", bound=SettingsGroup)


def load_settings(group: type[_Group], env_file: Path | None = DOTENV) -> _Group:
    """Read a group, or all, of the settings from the environment and a `.env` file.

    Variables win over the file, which need not exist. A file that another user
    can have written is refused.

    Raises:
        SettingsError: with every problem found.
    """
    try:
        with dotenv_of(env_file):
            return group()
    except ValidationError as error:
        problems = [problem_of(line) for line in error.errors(include_url=False)]
    except DotEnvFileError as error:
        problems = [Problem(".env", str(error))]
    # Raised out here: pydantic's error keeps the values it was given.
    raise SettingsError(*problems)
