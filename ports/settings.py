"""Settings as a store, a transport and the service itself declare them: one model, one declaration.

A group declares its variables as fields; the service reads their values from the environment and a
`.env` file, reports what is wrong with them, and documents them, all from the model alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails


class Problem(NamedTuple):
    """One thing to put right in the configuration.

    Attributes:
        setting: the variable's name, or several names; empty where the advice has them.
        advice: what it must be or what to do; never what it is.
    """

    setting: str
    advice: str

    def __str__(self) -> str:
        return f"{self.setting} {self.advice}".strip()


class SettingsError(Exception):
    """The service cannot start as configured. Its text lists every problem and no value."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        head = "The configuration needs attention:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in problems)]))


class SettingsGroup(BaseModel):
    """Settings that belong together, each with a description for the configuration table.

    A field is read from the variable of its name in capitals, after `prefix`; a field with a
    `validation_alias` is read from that variable instead, or from the first of several
    (`AliasChoices`) that is set. An empty variable counts as unset. Secrets are `SecretStr`, so
    that no repr shows them. Every problem is reported, not just the first: each field is checked,
    and so is what fields mean together.
    """

    model_config = ConfigDict(
        # A class is made ready when it is first used: most processes use a few of them.
        defer_build=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
        validate_default=False,
    )

    prefix: ClassVar[str] = ""
    """What the variables' names begin with, such as "VAULT_"."""

    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        """Say what is missing, and which fields cannot stand together. `given`: the raw values by
        field name; fields that are unset are absent.
        """
        del given
        return ()

    def resolved(self) -> Self:
        """Return these settings with what is read once in the place of the file it comes from.

        The service calls this before it starts worker processes, so that all of them run on the
        same values whatever becomes of the file. Most settings name no such file.

        Raises:
            PluginError: a file cannot be used.
        """
        return self

    def unusable(self) -> Iterable[Problem]:
        """Name what these settings ask for and this machine does not have, such as a usable file.

        The service calls this at start and in `check`, together with those of all other groups, so
        that everything is reported at once. It reads files, changes nothing and sends nothing.
        """
        return ()

    @classmethod
    def variables(cls) -> Mapping[str, tuple[str, ...]]:
        """Return the names of each field's variables, the preferred one first."""
        return {name: cls._variables_of(name) for name in cls.model_fields}

    @classmethod
    def _variables_of(cls, name: str) -> tuple[str, ...]:
        alias = cls.model_fields[name].validation_alias
        if isinstance(alias, AliasChoices):
            return tuple(choice for choice in alias.choices if isinstance(choice, str))
        return (alias if isinstance(alias, str) else cls.prefix + name.upper(),)

    @model_validator(mode="wrap")
    @classmethod
    def _report_everything(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        field_of: dict[Any, str] = {
            text: name for name, texts in cls.variables().items() for text in texts
        }
        given = {
            field_of.get(name, str(name)): value
            for name, value in dict(data).items()
            if _is_set(value)
        }
        problems = list(cls.contradictions(given))
        settings: Self | None = None
        try:
            settings = handler(data)
        except ValidationError as error:
            problems[:0] = map(cls._problem, error.errors(include_url=False, include_input=False))
        if settings is not None and not problems:
            return settings
        # Raised out here: pydantic's error keeps the values it was given.
        raise SettingsError(*problems)

    @classmethod
    def _problem(cls, error: ErrorDetails) -> Problem:
        name, *place = error["loc"] or ("",)
        entry = f"entry {place[0] + 1} " if place and isinstance(place[0], int) else ""
        known = str(name) in cls.model_fields
        return Problem(
            cls._variables_of(str(name))[0] if known else str(name), entry + _advice(error)
        )


def both_set(
    given: Mapping[str, Any], field: str, file_field: str, *, prefix: str = ""
) -> Iterator[Problem]:
    """Report a value that is given twice: as it is and as a file."""
    if field in given and file_field in given:
        names = f"{prefix}{field}, {prefix}{file_field}".upper()
        yield Problem(names, "are both set; keep one of them.")


def one_without_other(
    given: Mapping[str, Any], first: str, second: str, *, prefix: str = ""
) -> Iterator[Problem]:
    """Report half of a pair of fields."""
    for present, absent in ((first, second), (second, first)):
        if present in given and absent not in given:
            yield Problem(
                f"{prefix}{absent}".upper(),
                f"must be set as well, because {prefix.upper()}{present.upper()} is.",
            )


def says_yes(value: object) -> bool:
    """Say whether a raw value is one of those that pydantic reads as true."""
    return str(value).strip().lower() in {"1", "on", "t", "true", "y", "yes"}


def says_no(value: object) -> bool:
    """Say whether a raw value is one of those that pydantic reads as false."""
    return str(value).strip().lower() in {"0", "off", "f", "false", "n", "no"}


def _is_set(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, ())


def _advice(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    known = _ADVICE.get(error["type"])
    if known is None:
        return f"cannot be read ({error['type']}); see the configuration table."
    return known.format_map(context)


_NUMBER = "must be a number."
_WHOLE_NUMBER = "must be a whole number."
_ADVICE = {
    "bool_parsing": "must be true or false.",
    "extra_forbidden": "is no setting of this group.",
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
    "missing": "is not set; set it.",
    "string_too_short": "must not be blank.",
    "too_short": "must have at least one entry.",
}
"""What to do, by pydantic's name of the error."""
