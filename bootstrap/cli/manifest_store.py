"""What `manifest check` knows of each shipped store without reaching it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.infisical.addressing import Addressing
from adapters.infisical.store import check_version
from adapters.nats_kv.keys import locate, parse_revision
from adapters.upstream.policy_choices import FolderBounds
from adapters.wadm_manifest.places import StoreShape
from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.key_path import parse_folder

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretReference

INFISICAL: Final = "infisical"
NATS_KV: Final = "nats-kv"

SHOWN_PROJECT = "project-id"
"""Stands for the project where none is given: the rules then judge without it."""


@dataclass(frozen=True, slots=True)
class InfisicalShape(StoreShape):
    """Keys and properties of Infisical; what the operator allows is the running service's to say.

    Attributes:
        environment: the environment read where a policy names none.
        project_id: the project read where a policy names none.
        base: the folder that relative keys stand below.
    """

    environment: str = "prod"
    project_id: str = SHOWN_PROJECT
    base: str = "/"

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        chosen = reference.properties
        return Addressing(
            environment=self.environment,
            project_id=self.project_id,
            environments=frozenset({chosen.get("environment", self.environment)}),
            projects=frozenset({chosen.get("project_id", self.project_id)}),
            bounds=FolderBounds(parse_folder(self.base), ((),), "INFISICAL_"),
        ).locate(reference)

    @override
    def check_version(self, version: str) -> None:
        try:
            check_version(version)
        except SecretNotFound as error:
            raise InvalidRequest(error.advice, reason=error.reason) from None


@dataclass(frozen=True, slots=True)
class NatsKvShape(StoreShape):
    """Keys, versions and properties of a bucket."""

    bucket: str

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return locate(reference, self.bucket)

    @override
    def check_version(self, version: str) -> None:
        parse_revision(version)
