"""The policy properties that this store reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from domain.model.errors import InvalidRequest, PolicyError
from domain.model.key_path import parse_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN = ("encoding", "environment", "path", "project_id")


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


def _read_path(path: str) -> tuple[str, ...]:
    try:
        return parse_folder(path)
    except InvalidRequest:
        pass
    raise PolicyError(
        'The policy property "path" must name a folder from the root, such as "/payments".',
        reason="policy_path_malformed",
    )
