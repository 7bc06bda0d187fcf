"""What manifests may ask of Vault, as far as it is known without asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.upstream.manifest_shape import ManifestShape, base_folder
from adapters.vault.addressing import Addressing, Place
from adapters.vault.names import InvalidNameError, parse_mount
from adapters.vault.properties import read_properties
from adapters.vault.store import check_version
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.reference import SecretLocation, SecretReference


def vault_shape(given: Mapping[str, str]) -> ManifestShape:
    """Return the shape of what is set, by the names of fields.

    A role is taken for allowed, as a login by caller has it.

    Raises:
        PluginError: VAULT_MOUNT or VAULT_SECRET_PATH cannot be used.
    """
    base = base_folder(given, "VAULT_")
    try:
        mount = parse_mount(given.get("mount", "secret"))
    except InvalidNameError as error:
        raise PluginError(str(error), setting="VAULT_MOUNT") from None
    own_role = given.get("role", "") if given.get("login") == "caller" else ""
    namespace = given.get("namespace", "").strip("/")

    def locate(reference: SecretReference) -> SecretLocation:
        chosen = read_properties(reference.properties)
        return Addressing(
            default=Place(mount, namespace, own_role or chosen.role or ""),
            base=base,
            mounts=frozenset({chosen.mount or mount}),
            namespaces=frozenset({chosen.namespace or namespace, ""}),
            roles=frozenset({chosen.role or own_role}),
        ).locate(reference)

    return ManifestShape(locate, check_version)
