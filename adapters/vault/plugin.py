"""Vault and OpenBao as a plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.upstream.server_address import warn_without_tls
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

    @override
    def warnings(self, settings: VaultSettings) -> Sequence[str]:
        return warn_without_tls(
            settings.addr, self.title, "every login", "VAULT_ADDR", "VAULT_CACERT"
        )

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        from adapters.vault.store import vault_shape  # noqa: PLC0415  if it is chosen

        return vault_shape(given)

    @override
    def build(self, settings: VaultSettings, context: StoreContext) -> StoreParts:
        from adapters.vault.assembly import build_parts  # noqa: PLC0415  only if it is chosen

        return build_parts(settings, context)


PLUGIN: Final = VaultPlugin()
