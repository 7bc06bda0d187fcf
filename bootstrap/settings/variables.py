"""The one reader of the environment and of `.env`: every group of settings comes out of here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, final

from bootstrap.settings.dotenv_file import DotEnvFileError, read_dotenv
from bootstrap.settings.library_variables import OF_LIBRARIES, unusable_variables
from ports.settings import Problem, SettingsError, SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

DOTENV: Final = Path(".env")

_Group = TypeVar("_Group", bound=SettingsGroup)


@final
class Variables:
    """What is set, by names in capitals. An empty variable counts as unset.

    Args:
        environment: variables as the process has them; their names are read in any case.
        file: those of a `.env` file, over which the environment wins.
    """

    def __init__(
        self, environment: Mapping[str, str], file: Mapping[str, str] | None = None
    ) -> None:
        self._file, self._environment = _upper(file or {}), _upper(environment)
        given = (*self._file.items(), *self._environment.items())
        self._texts = {name: text for name, text in given if text}

    @classmethod
    def read(cls, env_file: Path | None = DOTENV) -> Variables:
        """Read the process's environment and the file, which need not exist.

        Raises:
            SettingsError: the file cannot be read, or another user can have written it.
        """
        try:
            file = {} if env_file is None else read_dotenv(env_file)
        except DotEnvFileError as error:
            raise SettingsError(Problem(".env", str(error))) from None
        return cls(os.environ, file)

    @property
    def names(self) -> frozenset[str]:
        """The names that are set."""
        return frozenset(self._texts)

    @property
    def file_is_used(self) -> bool:
        """Whether the `.env` file sets anything."""
        return bool(self._file)

    def unknown_in_file(self, known: Collection[str]) -> list[Problem]:
        """Name what the `.env` file sets and no part of the service reads. `known`: every variable
        that the service and its plug-ins read.
        """
        return [
            Problem(name, _unknown(name, known)) for name in sorted(self._file.keys() - {*known})
        ]

    def unusable_of_libraries(self) -> list[Problem]:
        """Say what is wrong with variables that libraries read by themselves."""
        return list(unusable_variables(self._environment))

    def of_libraries(self) -> dict[str, str]:
        """Return the variables of libraries that are set, as they are set."""
        return {name: text for name in OF_LIBRARIES if (text := self._environment.get(name))}

    def misspelt(self, known: Collection[str]) -> tuple[tuple[str, str], ...]:
        """Return the variables of the environment that are one edit off a setting's name.

        The environment is shared with other programs, so that such a name may well be theirs.
        Returns each name with the setting that it is near to.
        """
        settings = sorted({*known, *OF_LIBRARIES})
        near = ((name, nearest(name, settings)) for name in sorted(self._environment))
        return tuple((name, meant) for name, meant in near if meant is not None)

    def text(self, variable: str) -> str | None:
        """Return a variable as it is set; None if it is unset."""
        return self._texts.get(variable)

    def has(self, *variables: str) -> bool:
        """Say whether any of the variables is set."""
        return not self._texts.keys().isdisjoint(variables)

    def origin(self, variable: str) -> str:
        """Say where a variable comes from: "environment", ".env" or "default"."""
        if self._environment.get(variable):
            return "environment"
        return ".env" if self._file.get(variable) else "default"

    def load(self, group: type[_Group]) -> _Group:
        """Return a group's settings as they are set.

        Raises:
            SettingsError: with every problem found.
        """
        values: dict[str, str] = {}
        given_as: dict[str, str] = {}
        problems: list[Problem] = []
        for name, variables in group.variables().items():
            found = [variable for variable in variables if variable in self._texts]
            if not found:
                continue
            values[name] = self._texts[found[0]]
            given_as[variables[0]] = found[0]
            if len({self._texts[variable] for variable in found}) > 1:
                problems.append(
                    Problem(", ".join(found), "mean the same and are set differently; unset one.")
                )
        try:
            settings = group.model_validate(values)
        except SettingsError as error:
            problems += [
                Problem(given_as.get(problem.setting, problem.setting), problem.advice)
                for problem in error.problems
            ]
            raise SettingsError(*problems) from None
        if problems:
            raise SettingsError(*problems)
        return settings


def _upper(variables: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): text for name, text in variables.items()}


def _unknown(name: str, known: Collection[str]) -> str:
    if name in OF_LIBRARIES:
        return "stands in .env, and libraries read it from the environment alone; set it there."
    meant = nearest(name, sorted({*known, *OF_LIBRARIES}))
    hint = "" if meant is None else f" Did you mean {meant}?"
    return f"stands in .env and is no setting of this service or its plug-ins.{hint}"


def nearest(name: str, settings: Sequence[str]) -> str | None:
    """Return the first setting that a name was probably meant to be; None if it is one, or none is
    near.

    One edit is enough to be near: a character too many, too few or wrong, or two that are swapped.
    """
    if name in settings:
        return None
    return next((setting for setting in settings if _one_edit(name, setting)), None)


def _one_edit(left: str, right: str) -> bool:
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    short, long = sorted((left, right), key=len)
    start = next((i for i, char in enumerate(short) if char != long[i]), len(short))
    rest_short, rest_long = short[start:], long[start:]
    if len(short) != len(long):
        return rest_short == rest_long[1:]
    swapped = rest_short[:2] == rest_long[1::-1] and rest_short[2:] == rest_long[2:]
    return rest_short[1:] == rest_long[1:] or swapped
