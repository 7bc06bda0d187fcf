"""What manifests may ask of a NATS KV bucket, as far as it is known without asking NATS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.nats_kv.keys import locate, parse_revision
from ports.store_shape import StoreShape

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretReference


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
