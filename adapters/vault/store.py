"""The secret store port over Vault and OpenBao, and what manifests may ask of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from adapters.upstream.manifest_shape import ManifestShape, base_folder
from adapters.vault import reasons
from adapters.vault.addressing import ANYWHERE, Addressing, Place, read_properties
from adapters.vault.names import InvalidNameError, parse_mount
from adapters.vault.values import UNVERSIONED, read_unversioned, read_versioned
from adapters.vault.wire import OK
from domain.model.errors import InvalidRequest, SecretNotFound
from ports.plugin import PluginError
from ports.secret_store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vault.api import VaultApi
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference
    from domain.model.secret import Secret
    from ports.clock import Clock


MAX_VERSION: Final = 2**31 - 1
"""The server takes numbers up to 64 bits, and answers the latest to 0 and to negative ones."""

_VERSION = re.compile(r"[1-9][0-9]{0,99}", re.ASCII)


class VaultSecretStore(SecretStore):
    """Reads whole secrets, each a JSON object; the core selects fields."""

    def __init__(self, addressing: Addressing, api: VaultApi, clock: Clock) -> None:
        self._addressing = addressing
        self._api = api
        self._clock = clock

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return self._addressing.locate(reference)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        version = query.version
        check_version(version)
        kv_version, answer = await self._api.read(query)
        if answer.status != OK:
            raise self._api.error_for(answer)
        if kv_version == 2:  # noqa: PLR2004  the versioned one
            return read_versioned(answer, query.location, version, self._clock.now())
        if version is not None:
            raise _no_versions()
        return read_unversioned(answer, query.location)


def check_version(version: str | None) -> None:
    """Refuse what the server would read otherwise: 010 is 8 to it, and 0 the latest (measured)."""
    if version is None:
        return
    if version == UNVERSIONED:
        raise _no_versions()
    if not _VERSION.fullmatch(version):
        raise InvalidRequest(
            "A version of a Vault secret is a whole number from 1 up, such as 3.",
            reason="version_malformed",
        )
    if int(version) > MAX_VERSION:
        raise SecretNotFound(
            "No Vault secret has that many versions; ask for another.",
            reason=reasons.VERSION_NOT_FOUND,
        )


def _no_versions() -> SecretNotFound:
    return SecretNotFound(
        "The mount keeps no versions (key-value version 1); drop the version, or upgrade the "
        "mount.",
        reason=reasons.VERSION_NOT_FOUND,
    )


def vault_shape(given: Mapping[str, str]) -> ManifestShape:
    """Return the shape of what is set, by the names of fields.

    A role is taken for allowed, as a login by caller has it.

    Raises:
        PluginError: VAULT_MOUNT or VAULT_SECRET_PATH cannot be used.
    """
    bounds = ANYWHERE._replace(base=base_folder(given, "VAULT_"))
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
            bounds=bounds,
            mounts=frozenset({chosen.mount or mount}),
            namespaces=frozenset({chosen.namespace or namespace, ""}),
            roles=frozenset({chosen.role or own_role}),
        ).locate(reference)

    return ManifestShape(locate, check_version)
