"""What manifests may ask of Infisical, as far as it is known without asking it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.infisical.addressing import Addressing
from adapters.infisical.store import check_version
from adapters.upstream.policy_choices import FolderBounds
from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.key_path import parse_folder
from ports.plugin import PluginError
from ports.store_shape import StoreShape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.reference import SecretLocation, SecretReference

SHOWN_PROJECT: Final = "project-id"
"""Stands for the project where none is given: the rules then judge without it."""


@dataclass(frozen=True, slots=True)
class InfisicalShape(StoreShape):
    """Keys and properties of Infisical.

    Attributes:
        environment: the environment read where a policy names none.
        project_id: the project read where a policy names none.
        base: the folder that relative keys stand below, outermost first.
    """

    environment: str = "prod"
    project_id: str = SHOWN_PROJECT
    base: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, str]) -> InfisicalShape:
        """Read the settings by the names of their fields.

        Raises:
            PluginError: INFISICAL_SECRET_PATH names no folder.
        """
        try:
            base = parse_folder(given.get("secret_path", "/"))
        except InvalidRequest as error:
            problem = f"names no folder: {error.advice}"
        else:
            return cls(
                given.get("environment", "prod"), given.get("project_id", SHOWN_PROJECT), base
            )
        raise PluginError(problem, setting="INFISICAL_SECRET_PATH")

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        chosen = reference.properties
        return Addressing(
            environment=self.environment,
            project_id=self.project_id,
            environments=frozenset({self.environment, chosen.get("environment", self.environment)}),
            projects=frozenset({self.project_id, chosen.get("project_id", self.project_id)}),
            bounds=FolderBounds(self.base, ((),), "INFISICAL_"),
        ).locate(reference)

    @override
    def check_version(self, version: str) -> None:
        try:
            check_version(version)
        except SecretNotFound as error:
            raise InvalidRequest(error.advice, reason=error.reason) from None
