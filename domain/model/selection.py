"""Which cached values are to be forgotten, as operators and other systems name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from domain.model.errors import InvalidRequest
from domain.model.key_path import parse_folder, parse_key

if TYPE_CHECKING:
    from typing import Self

    from domain.model.reference import SecretLocation

ROOT = "/"
MAX_COORDINATES = 8
MAX_COORDINATE_LENGTH = 128

_COORDINATE = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)

Scope = tuple[tuple[str, str], ...]
"""Coordinates that a secret must have, beside any others, as in `SecretLocation.scope`."""


class Selection(NamedTuple):
    """One secret, or a folder with all that lies below it.

    Attributes:
        key: the secret's whole path, such as "/payments/API_KEY"; None means all in the folder.
        folder: "/" or such as "/payments"; "/" when a key is given.
        scope: sorted by name; empty means in every project and environment.
    """

    key: str | None = None
    folder: str = ROOT
    scope: Scope = ()

    @classmethod
    def everything(cls, scope: Scope = ()) -> Self:
        """Select all secrets of the scope.

        Raises:
            InvalidRequest: the scope cannot be one.
        """
        return cls(scope=_checked(scope))

    @classmethod
    def one(cls, key: str, scope: Scope = ()) -> Self:
        """Select one secret in all its versions.

        Raises:
            InvalidRequest: the key is not absolute or not in plain form.
        """
        parsed = parse_key(key)
        if not parsed.absolute:
            raise InvalidRequest(
                'Write the key\'s whole path, such as "/payments/API_KEY"; the audit trail has it '
                "as `path`.",
                reason="key_not_absolute",
            )
        return cls(key=key, scope=_checked(scope))

    @classmethod
    def below(cls, folder: str, scope: Scope = ()) -> Self:
        """Select a folder and the folders below it.

        Raises:
            InvalidRequest: the folder is not absolute or not in plain form.
        """
        return cls(folder="/" + "/".join(parse_folder(folder)), scope=_checked(scope))

    def matches(self, location: SecretLocation) -> bool:
        """Say whether the selection covers that location, in every version, encoding and field.

        A key covers what lies below it as well: some stores have several values under one key.
        """
        if self.key is not None and not f"{location.path}/".startswith(f"{self.key}/"):
            return False
        in_folder = self.folder == ROOT or location.path.startswith(self.folder + "/")
        return in_folder and set(self.scope) <= set(location.scope)

    def coordinate(self, name: str) -> str | None:
        """Return one coordinate of the scope, None where any will do."""
        return dict(self.scope).get(name)


def _checked(scope: Scope) -> Scope:
    names = [name for name, _ in scope]
    if (
        len(names) > MAX_COORDINATES
        or len(set(names)) != len(names)
        or not all(_COORDINATE.fullmatch(name) for name in names)
        or not all(0 < len(text) <= MAX_COORDINATE_LENGTH for _, text in scope)
        or not all(text.isprintable() for _, text in scope)
    ):
        raise InvalidRequest(
            "Write environment and project as short plain words, each once.",
            reason="scope_malformed",
        )
    return tuple(sorted(scope))
