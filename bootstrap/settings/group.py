"""What all groups of settings share: where values come from and how problems are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from bootstrap.settings.dotenv_file import ReadDotEnv
from bootstrap.settings.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource


class SettingsGroup(BaseSettings):
    """Fields read from environment variables of the same name in capitals.

    An empty variable counts as unset. Every problem is reported, not just the first: each field is
    checked, and so is what fields mean together.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        # A class is made ready when it is first used: most processes use one of them.
        defer_build=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, ReadDotEnv(settings_cls))

    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        """Say what the fields that are set cannot mean together.

        Args:
            given: the raw values by field name; those unset are absent.
        """
        del given
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _report_everything(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        given = {name: value for name, value in dict(data).items() if _is_set(value)}
        problems = list(cls.contradictions(given))
        settings: Self | None = None
        try:
            settings = handler(data)
        except ValidationError as error:
            problems[:0] = map(problem_of, error.errors(include_url=False, include_input=False))
        if settings is not None and not problems:
            return settings
        # Raised out here: the first error keeps the values it was given.
        raise ValidationError.from_exception_data(
            cls.__name__, [_line(problem) for problem in problems], hide_input=True
        )


def _is_set(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, ())


def problem_of(error: ErrorDetails) -> Problem:
    """Tell one of pydantic's errors as what to do, without the value."""
    name, *place = error["loc"] or ("",)
    entry = f"entry {place[0] + 1} " if place and isinstance(place[0], int) else ""
    return Problem(str(name).upper(), entry + _advice(error))


def _advice(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] in {"setting", "value_error"}:
        return str(context.get("advice") or context.get("error"))
    known = _ADVICE.get(error["type"])
    if known is None:
        return f"cannot be read ({error['type']}); see the configuration table."
    return known.format_map(context)


_NUMBER = "must be a number."
_WHOLE_NUMBER = "must be a whole number."
_ADVICE = {
    "bool_parsing": "must be true or false.",
    "finite_number": _NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "greater_than": "must be more than {gt:g}.",
    "greater_than_equal": "must be at least {ge:g}.",
    "int_from_float": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_type": _WHOLE_NUMBER,
    "less_than": "must be below {lt:g}.",
    "less_than_equal": "must be at most {le:g}.",
    "literal_error": "must be {expected}.",
    "string_too_short": "must not be blank.",
    "too_short": "must have at least one entry.",
}
"""What to do, by pydantic's name of the error."""


def _line(problem: Problem) -> InitErrorDetails:
    return InitErrorDetails(
        # Braces in an advice are no placeholders, so it goes in as a whole.
        type=PydanticCustomError("setting", "{advice}", {"advice": problem.advice}),
        loc=(problem.setting,),
        input=None,
    )
