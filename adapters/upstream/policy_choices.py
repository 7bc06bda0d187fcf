"""What a policy's properties may choose, in the words and rules that stores share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from domain.model.errors import InvalidRequest, PolicyError
from domain.model.key_path import parse_folder

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from domain.model.key_path import KeyPath

Folders = tuple[str, ...]
"""Names of folders, outermost first."""


def check_known(given: Iterable[str], known: tuple[str, ...]) -> None:
    """Check that a store reads each property.

    Raises:
        PolicyError: it does not.
    """
    if set(given) - set(known):
        raise PolicyError(
            f"This backend reads only these policy properties: {', '.join(known)}.",
            reason="policy_property_unknown",
        )


def read_encoding(text: str | None) -> Literal["base64"] | None:
    """Read the property `encoding`.

    Raises:
        PolicyError: it is another one than base64.
    """
    if text is None or text == "base64":
        return None if text is None else "base64"
    raise PolicyError(
        'The policy property "encoding" can only be "base64"; drop it for plain text.',
        reason="policy_encoding_unknown",
    )


def read_path(path: str | None) -> Folders | None:
    """Read the property `path`, the folder that relative keys stand below.

    Raises:
        PolicyError: it names no folder.
    """
    if path is None:
        return None
    try:
        return parse_folder(path)
    except InvalidRequest:
        pass
    raise PolicyError(
        'The policy property "path" must name a folder from the root, such as "/payments".',
        reason="policy_path_malformed",
    )


def chosen(
    choice: str | None, default: str, allowed: Container[str], name: str, setting: str
) -> str:
    """Return what a property chooses, or the default if it is not there.

    Args:
        choice: the property's text; None leaves it to the operator.
        default: what the operator has configured.
        allowed: what else may be chosen.
        setting: the setting that allows more, for advice.

    Raises:
        PolicyError: the operator does not allow it.
    """
    if choice is None or choice == default:
        return default
    if choice not in allowed:
        raise PolicyError(
            f'The policy property "{name}" chooses what the operator of this backend does not '
            f"allow; choose another, or ask for it in {setting}.",
            reason=f"{name}_not_allowed",
        )
    return choice


class Anything:
    """Allows every choice, where what the operator allows is not known."""

    def __contains__(self, choice: object) -> bool:
        return True


class FolderBounds(NamedTuple):
    """Where keys may lead.

    Attributes:
        base: the folder that relative keys stand below.
        allowed: with all below them, the folders that may be reached.
        prefix: begins the names of the settings, such as "VAULT_".
    """

    base: Folders
    allowed: tuple[Folders, ...]
    prefix: str

    @classmethod
    def of(cls, secret_path: str, allowed_paths: Iterable[str], prefix: str) -> FolderBounds:
        """Read the settings of that name; without allowed paths, the secret path is the bound."""
        allowed = tuple(map(parse_folder, allowed_paths))
        base = parse_folder(secret_path)
        return cls(base, allowed or (base,), prefix)

    def place(self, key: KeyPath, path: Folders | None) -> Folders:
        """Return the folders of a key.

        Args:
            key: below `path`, or else below the base, unless it is absolute.
            path: what the policy chooses.

        Raises:
            PolicyError: path or key leaves the bounds.
        """
        if path is not None:
            self._check(path, 'The policy property "path"')
        folders = key.below(self.base if path is None else path)
        self._check(folders, "The key")
        return folders

    def _check(self, folders: Folders, what: str) -> None:
        if not any(folders[: len(bound)] == bound for bound in self.allowed):
            setting, default = self.prefix + "ALLOWED_PATHS", self.prefix + "SECRET_PATH"
            raise PolicyError(
                f"{what} leaves what {setting} allows (by default what lies in or below "
                f"{default}); use a key inside, or ask the operator.",
                reason="path_not_allowed",
            )
