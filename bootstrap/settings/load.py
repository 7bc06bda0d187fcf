"""From the environment to checked settings."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bootstrap.settings.group import SettingsGroup, problem_of
from bootstrap.settings.problems import Problem, SettingsError

DOTENV = Path(".env")

_Group = TypeVar("_Group", bound=SettingsGroup)


def load_settings(group: type[_Group], env_file: Path | None = DOTENV) -> _Group:
    """Read a group, or all, of the settings from the environment and a `.env` file.

    Variables win over the file, which need not exist.

    Raises:
        SettingsError: with every problem found.
    """
    try:
        return group(_env_file=env_file, _env_file_encoding="utf-8")
    except ValidationError as error:
        problems = [problem_of(line) for line in error.errors(include_url=False)]
    except (OSError, UnicodeDecodeError):
        problems = [
            Problem(".env", "cannot be read; it must be UTF-8 text that this user may read.")
        ]
    # Raised out here: pydantic's error keeps the values it was given.
    raise SettingsError(*problems)
