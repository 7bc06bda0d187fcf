"""Which answers a flush means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.key_path import parse_folder

if TYPE_CHECKING:
    from typing import Self

    from domain.model.reference import SecretLocation


@dataclass(frozen=True, slots=True)
class CacheSelection:
    """Places in a store, in every version, encoding and for every caller.

    Attributes:
        path: the one path meant; None means any.
        folder: what paths begin with, "/" at its end included.
        scope: coordinates that a place must have, beside any others.
    """

    path: str | None = None
    folder: str = "/"
    scope: tuple[tuple[str, str], ...] = ()

    @classmethod
    def everything(cls) -> Self:
        """Select all places."""
        return cls()

    @classmethod
    def one(cls, location: SecretLocation) -> Self:
        """Select one secret, by the location that the store's `locate` gives it."""
        return cls(path=location.path, scope=location.scope)

    @classmethod
    def below(cls, folder: str, scope: tuple[tuple[str, str], ...] = ()) -> Self:
        """Select everything in a folder such as `/payments` and in the folders below it.

        Raises:
            InvalidRequest: the folder is not absolute, or not in plain form.
        """
        return cls(folder="/".join(("", *parse_folder(folder), "")), scope=scope)

    def matches(self, location: SecretLocation) -> bool:
        """Say whether the location is meant."""
        if self.path is not None and location.path != self.path:
            return False
        return location.path.startswith(self.folder) and set(self.scope) <= set(location.scope)
