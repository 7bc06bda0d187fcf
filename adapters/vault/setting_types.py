"""Types for settings that name things of Vault's, each read into its plain form.

A list is written with commas between its entries.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from adapters.system.setting_types import HttpUrl, Texts, strip
from adapters.vault.names import (
    InvalidNameError,
    parse_login_mount,
    parse_mount,
    parse_namespace,
    parse_role,
)


def _one(parse: Callable[[str], str]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            return parse(text)
        except InvalidNameError as error:
            advice = str(error)
        raise ValueError(advice)

    return AfterValidator(check)


def _each(parse: Callable[[str], str]) -> AfterValidator:
    def check(texts: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(parse, texts))
        except InvalidNameError as error:
            advice = str(error)
        raise ValueError(f"is a list of which each {advice}")

    return AfterValidator(check)


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


Mount = Annotated[str, BeforeValidator(strip), _one(parse_mount)]
Mounts = Annotated[Texts, _each(parse_mount)]
Namespace = Annotated[str, BeforeValidator(strip), _one(parse_namespace)]
Namespaces = Annotated[Texts, _each(parse_namespace)]
LoginMount = Annotated[str, BeforeValidator(strip), _one(parse_login_mount)]
Role = Annotated[str, BeforeValidator(strip), _one(parse_role)]
Roles = Annotated[Texts, _each(parse_role)]
Addresses = Annotated[tuple[HttpUrl, ...], BeforeValidator(_split)]
