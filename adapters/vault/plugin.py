"""Vault and OpenBao as a plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from typing_extensions import override

from adapters.system.loopback import is_loopback
from adapters.vault.settings import VaultSettings
from ports.store_plugin import StorePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ports.store_plugin import StoreContext, StoreParts
    from ports.store_shape import StoreShape


class VaultPlugin(StorePlugin[VaultSettings]):
    """Registered as `vault`."""

    name: ClassVar[str] = "vault"
    title: ClassVar[str] = "Vault"
    api_version: ClassVar[int] = 1
    settings = VaultSettings
    needs_entity_token: ClassVar[bool] = False

    @override
    def warnings(self, settings: VaultSettings) -> Sequence[str]:
        server = urlsplit(settings.addr)
        if server.scheme != "http" or is_loopback(server.hostname or ""):
            return ()
        advice = (
            f"Vault at {settings.addr} is reached without TLS: on the way there every secret and "
            "every login can be read. Write https:// in VAULT_ADDR, with VAULT_CACERT for a "
            "private CA."
        )
        return (advice,)

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        from adapters.vault.shape import VaultShape  # noqa: PLC0415  if it is chosen

        return VaultShape.of(given)

    @override
    def build(self, settings: VaultSettings, context: StoreContext) -> StoreParts:
        from adapters.vault.assembly import build_parts  # noqa: PLC0415  only if it is chosen

        return build_parts(settings, context)


PLUGIN: Final = VaultPlugin()
