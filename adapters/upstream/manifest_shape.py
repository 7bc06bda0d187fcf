"""What manifests may ask of a store with folders, as far as it is known without asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.key_path import parse_folder
from domain.model.opaque import opaque
from ports.plugin import PluginError
from ports.store_shape import StoreShape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model.reference import SecretLocation, SecretReference


@opaque
class ManifestShape(StoreShape):
    """The store's own functions.

    Attributes:
        place: reads a reference; takes everything for allowed.
        version: as `check_version` of a store, which knows versions that none can have.
    """

    place: Callable[[SecretReference], SecretLocation]
    version: Callable[[str], object]

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self.place(reference)

    @override
    def check_version(self, version: str) -> None:
        try:
            self.version(version)
        except SecretNotFound as error:
            raise InvalidRequest(error.advice, reason=error.reason) from None


def base_folder(given: Mapping[str, str], prefix: str) -> tuple[str, ...]:
    """Return the folder that relative keys stand below, outermost first.

    Args:
        given: the settings by the names of their fields.
        prefix: begins the settings' names, such as "VAULT_".

    Raises:
        PluginError: the setting names no folder.
    """
    try:
        return parse_folder(given.get("secret_path", "/"))
    except InvalidRequest as error:
        problem = f"names no folder: {error.advice}"
    raise PluginError(problem, setting=f"{prefix}SECRET_PATH")
