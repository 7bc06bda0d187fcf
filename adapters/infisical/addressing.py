"""From a key and policy properties to one place in Infisical."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.upstream.manifest_shape import base_folder
from adapters.upstream.policy_choices import (
    Anything,
    FolderBounds,
    check_known,
    chosen,
    read_encoding,
    read_path,
)
from domain.model.errors import InvalidRequest
from domain.model.key_path import parse_key
from domain.model.opaque import opaque
from domain.model.reference import SecretLocation

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from adapters.infisical.settings import InfisicalSettings
    from domain.model.reference import SecretReference

KNOWN = ("encoding", "environment", "path", "project_id")

SHOWN_PROJECT = "project-id"
"""Stands for the project where none is given: the rules then judge without it."""

MAX_NAME_LENGTH = 100
"""In UTF-16 code units, as the server's router counts the decoded name; it knows no longer one."""

_JAVASCRIPT_WHITESPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What `String.prototype.trim` removes; Python's own `strip` removes another set."""


@opaque
class Addressing:
    """Reads references within what the operator allows."""

    environment: str
    project_id: str
    environments: Container[str]
    projects: Container[str]
    bounds: FolderBounds

    @classmethod
    def from_settings(cls, settings: InfisicalSettings) -> Addressing:
        """Take the defaults and the bounds from the settings."""
        return cls(
            environment=settings.environment,
            project_id=settings.project_id or "",
            environments=frozenset(settings.allowed_environments),
            projects=frozenset(settings.allowed_projects),
            bounds=FolderBounds.of(settings.secret_path, settings.allowed_paths, settings.prefix),
        )

    @classmethod
    def of_manifests(cls, given: Mapping[str, str]) -> Addressing:
        """Take the defaults from what is set, by the names of fields; everything is allowed.

        Raises:
            PluginError: INFISICAL_SECRET_PATH names no folder.
        """
        return cls(
            environment=given.get("environment", "prod"),
            project_id=given.get("project_id", SHOWN_PROJECT),
            environments=Anything(),
            projects=Anything(),
            bounds=FolderBounds(base_folder(given, "INFISICAL_"), ((),), "INFISICAL_"),
        )

    def locate(self, reference: SecretReference) -> SecretLocation:
        """Return the canonical place that a reference means.

        A relative key stands below the policy's `path`, or else below the configured folder; an
        absolute one stands by itself. Wherever it stands, the folder must be allowed.

        Raises:
            InvalidRequest: the key cannot name a secret in Infisical.
            PolicyError: a property is unknown or malformed, or something outside is chosen.
        """
        properties = reference.properties
        check_known(properties, KNOWN)
        encoding = read_encoding(properties.get("encoding"))
        environment = chosen(
            properties.get("environment"),
            self.environment,
            self.environments,
            "environment",
            "INFISICAL_ALLOWED_ENVIRONMENTS",
        )
        project_id = chosen(
            properties.get("project_id"),
            self.project_id,
            self.projects,
            "project_id",
            "INFISICAL_ALLOWED_PROJECTS",
        )
        key = parse_key(reference.key)
        folders = self.bounds.place(key, read_path(properties.get("path")))
        if any(folder != folder.strip(_JAVASCRIPT_WHITESPACE) for folder in folders):
            raise InvalidRequest(
                "A folder in the key begins or ends with a blank; write its plain name.",
                reason="key_folder",
            )
        return SecretLocation(
            path="/" + "/".join((*folders, _canonical_name(key.name))),
            scope=(("environment", environment), ("project_id", project_id)),
            encoding=encoding,
        )


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
