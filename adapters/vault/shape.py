"""What manifests may ask of Vault, as far as it is known without asking it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.vault.addressing import Addressing, Place
from adapters.vault.names import InvalidNameError, parse_mount
from adapters.vault.properties import read_properties
from adapters.vault.store import check_version
from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.key_path import parse_folder
from ports.plugin import PluginError
from ports.store_shape import StoreShape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.reference import SecretLocation, SecretReference


@dataclass(frozen=True, slots=True)
class VaultShape(StoreShape):
    """Keys and properties of Vault; a role is taken for allowed, as a login by caller has it.

    Attributes:
        default: what is read where a policy chooses nothing.
        base: the folder that relative keys stand below, outermost first.
    """

    default: Place
    base: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, str]) -> VaultShape:
        """Read the settings by the names of their fields.

        Raises:
            PluginError: VAULT_MOUNT or VAULT_SECRET_PATH cannot be used.
        """
        try:
            base = parse_folder(given.get("secret_path", "/"))
        except InvalidRequest as error:
            raise PluginError(
                f"names no folder: {error.advice}", setting="VAULT_SECRET_PATH"
            ) from None
        try:
            mount = parse_mount(given.get("mount", "secret"))
        except InvalidNameError as error:
            raise PluginError(str(error), setting="VAULT_MOUNT") from None
        role = given.get("role", "") if given.get("login") == "caller" else ""
        return cls(Place(mount, given.get("namespace", "").strip("/"), role), base)

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        chosen = read_properties(reference.properties)
        default = self.default
        return Addressing(
            default=Place(default.mount, default.namespace, default.role or chosen.role or ""),
            base=self.base,
            mounts=frozenset({chosen.mount or default.mount}),
            namespaces=frozenset({chosen.namespace or default.namespace, ""}),
            roles=frozenset({chosen.role or default.role}),
        ).locate(reference)

    @override
    def check_version(self, version: str) -> None:
        try:
            check_version(version)
        except SecretNotFound as error:
            raise InvalidRequest(error.advice, reason=error.reason) from None
