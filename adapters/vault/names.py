"""Names that settings and policy properties choose: mounts, namespaces, roles.

The server resolves ".." in a namespace, takes "root" and "/" for the root namespace, and cleans
blanks away, so two spellings can mean one place (measured on OpenBao 2.6.2). Only the plain
spelling passes here. As types of settings they are read into it, a list with commas between its
entries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator

from adapters.system.setting_types import Texts, strip

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NAME_LENGTH = 128
"""What a coordinate of a cached value may have at most (`domain.model.selection`)."""

_RESERVED_NAMESPACES = frozenset({"root", "sys", "audit", "auth", "cubbyhole", "identity"})
_NAMESPACE_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_ROLE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)
_RESERVED_MOUNTS = frozenset({"sys", "auth", "identity", "cubbyhole", "token"})


class InvalidNameError(ValueError):
    """The text is no such name; its own text says what one looks like, without the input."""


def parse_mount(text: str) -> str:
    """Read the path of a secrets engine, such as "secret" or "team/kv"; outer "/" are dropped.

    Raises:
        InvalidNameError: it is empty, too long, reserved, or not in plain form.
    """
    plain = text.strip("/")
    segments = plain.split("/")
    if (
        not 0 < len(plain) <= MAX_NAME_LENGTH
        or any(segment in {"", ".", ".."} or "*" in segment for segment in segments)
        or segments[0] in _RESERVED_MOUNTS
        or not plain.isprintable()
        or plain != plain.strip()
    ):
        raise InvalidNameError(
            'must be the path of a key-value engine, such as "secret" or "team/kv".'
        )
    return plain


def parse_login_mount(text: str) -> str:
    """Read the path of an auth method, such as "approle"; "auth/" in front is dropped.

    Raises:
        InvalidNameError: it is empty, too long, or not in plain form.
    """
    plain = text.strip("/").removeprefix("auth/")
    if not 0 < len(plain) <= MAX_NAME_LENGTH or not all(
        _ROLE.fullmatch(segment) for segment in plain.split("/")
    ):
        raise InvalidNameError('must be the path of an auth method, such as "approle".')
    return plain


def parse_namespace(text: str) -> str:
    """Read a namespace such as "team1/sub"; outer "/" are dropped, and "" is the root.

    Raises:
        InvalidNameError: it is too long, reserved, or not in plain form.
    """
    plain = text.strip("/")
    if not plain or plain == "root":
        return ""
    segments = plain.split("/")
    if (
        len(plain) > MAX_NAME_LENGTH
        or not all(_NAMESPACE_SEGMENT.fullmatch(segment) for segment in segments)
        or any(segment in _RESERVED_NAMESPACES for segment in segments)
    ):
        raise InvalidNameError('must be a namespace such as "team1" or "team1/sub".')
    return plain


def parse_role(text: str) -> str:
    """Read the name of a role; the server does not tell capitals from small letters in it. Returns
    the name in small letters, so that one role has one name.

    Raises:
        InvalidNameError: it is empty, too long, or holds other characters than a role's.
    """
    if len(text) > MAX_NAME_LENGTH or not _ROLE.fullmatch(text):
        raise InvalidNameError('must be the name of a role: letters, digits, "_", "-" and ".".')
    return text.lower()


def _each(parse: Callable[[str], str]) -> AfterValidator:
    def check(texts: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(map(parse, texts))
        except InvalidNameError as error:
            advice = str(error)
        raise ValueError(f"is a list of which each {advice}")

    return AfterValidator(check)


Mount = Annotated[str, BeforeValidator(strip), AfterValidator(parse_mount)]
Mounts = Annotated[Texts, _each(parse_mount)]
Namespace = Annotated[str, BeforeValidator(strip), AfterValidator(parse_namespace)]
Namespaces = Annotated[Texts, _each(parse_namespace)]
LoginMount = Annotated[str, BeforeValidator(strip), AfterValidator(parse_login_mount)]
Role = Annotated[str, BeforeValidator(strip), AfterValidator(parse_role)]
Roles = Annotated[Texts, _each(parse_role)]
