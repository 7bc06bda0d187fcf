"""From a key and policy properties to one place in Infisical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from domain.model.errors import InvalidRequest, PolicyError
from domain.model.key_path import parse_folder, parse_key
from domain.model.reference import SecretLocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.infisical.settings import InfisicalSettings
    from domain.model.reference import SecretReference

KNOWN = ("encoding", "environment", "path", "project_id")

MAX_NAME_LENGTH = 100
"""In UTF-16 code units, as the server's router counts the decoded name; it knows no longer one."""

_JAVASCRIPT_WHITESPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What `String.prototype.trim` removes; Python's own `strip` removes another set."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy chooses; None where it leaves the choice to the operator.

    Attributes:
        environment: the environment's slug.
        project_id: the project's id.
        folders: the folder that relative keys stand below, outermost first.
        encoding: how the stored text is to be read.
    """

    environment: str | None = None
    project_id: str | None = None
    folders: tuple[str, ...] | None = None
    encoding: Literal["base64"] | None = None


def read_properties(properties: Mapping[str, str]) -> Choice:
    """Read the properties `environment`, `project_id`, `path` and `encoding`.

    Raises:
        PolicyError: another property, a path that is no folder, or an unknown encoding.
    """
    if set(properties) - set(KNOWN):
        raise PolicyError(
            f"This backend reads only these policy properties: {', '.join(KNOWN)}.",
            reason="policy_property_unknown",
        )
    encoding = properties.get("encoding")
    if encoding not in {None, "base64"}:
        raise PolicyError(
            'The policy property "encoding" can only be "base64"; drop it for plain text.',
            reason="policy_encoding_unknown",
        )
    path = properties.get("path")
    return Choice(
        environment=properties.get("environment"),
        project_id=properties.get("project_id"),
        folders=None if path is None else _read_path(path),
        encoding=None if encoding is None else "base64",
    )


@dataclass(frozen=True, slots=True)
class Addressing:
    """Reads references within what the operator allows."""

    environment: str
    project_id: str
    base: tuple[str, ...]
    environments: frozenset[str]
    projects: frozenset[str]
    folders: tuple[tuple[str, ...], ...]

    @classmethod
    def from_settings(cls, settings: InfisicalSettings) -> Addressing:
        """Take the defaults and the bounds from the settings."""
        project_id = settings.project_id or ""
        return cls(
            environment=settings.environment,
            project_id=project_id,
            base=settings.base_folders,
            environments=frozenset({settings.environment, *settings.allowed_environments}),
            projects=frozenset({project_id, *settings.allowed_projects}),
            folders=settings.allowed_folders,
        )

    def locate(self, reference: SecretReference) -> SecretLocation:
        """Return the canonical place that a reference means.

        A relative key stands below the policy's `path`, or else below the configured folder; an
        absolute one stands by itself. Wherever it stands, the folder must be allowed.

        Raises:
            InvalidRequest: the key cannot name a secret in Infisical.
            PolicyError: a property is unknown or malformed, or something outside is chosen.
        """
        choice = read_properties(reference.properties)
        environment = _allowed(
            self.environment if choice.environment is None else choice.environment,
            self.environments,
            "environment",
        )
        project_id = _allowed(
            self.project_id if choice.project_id is None else choice.project_id,
            self.projects,
            "project_id",
        )
        if choice.folders is not None and not self._allows(choice.folders):
            raise PolicyError(
                'The policy property "path" leaves what INFISICAL_ALLOWED_PATHS allows.',
                reason="path_not_allowed",
            )
        key = parse_key(reference.key)
        name = _canonical_name(key.name)
        folders = key.below(self.base if choice.folders is None else choice.folders)
        if any(folder != folder.strip(_JAVASCRIPT_WHITESPACE) for folder in folders):
            raise InvalidRequest(
                "A folder in the key begins or ends with a blank; write its plain name.",
                reason="key_folder",
            )
        if not self._allows(folders):
            raise PolicyError(
                "The key leaves what INFISICAL_ALLOWED_PATHS allows (by default what lies in or "
                "below INFISICAL_SECRET_PATH); use a key inside, or ask the operator.",
                reason="path_not_allowed",
            )
        return SecretLocation(
            path="/" + "/".join((*folders, name)),
            scope=(("environment", environment), ("project_id", project_id)),
            encoding=choice.encoding,
        )

    def _allows(self, folders: tuple[str, ...]) -> bool:
        return any(folders[: len(allowed)] == allowed for allowed in self.folders)


def _allowed(chosen: str, allowed: frozenset[str], property_name: str) -> str:
    if chosen not in allowed:
        raise PolicyError(
            f'The policy property "{property_name}" chooses what the operator of this backend does '
            "not allow; choose another, or ask for it.",
            reason=f"{property_name}_not_allowed",
        )
    return chosen


def _canonical_name(name: str) -> str:
    """Trim as the server does, so that two spellings of one secret are one location."""
    trimmed = name.strip(_JAVASCRIPT_WHITESPACE)
    if trimmed in {"", ".", ".."}:
        # An empty name would turn the call into a list of the whole folder.
        raise InvalidRequest("The key must end in a secret's name.", reason="key_without_name")
    if len(trimmed.encode("utf-16-le")) // 2 > MAX_NAME_LENGTH:
        raise InvalidRequest(
            f"Infisical knows no secret whose name has more than {MAX_NAME_LENGTH} characters.",
            reason="key_name_length",
        )
    return trimmed


def _read_path(path: str) -> tuple[str, ...]:
    try:
        return parse_folder(path)
    except InvalidRequest:
        pass
    raise PolicyError(
        'The policy property "path" must name a folder from the root, such as "/payments".',
        reason="policy_path_malformed",
    )
