"""A store over a model of Vault, with a clock in the test's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.vault.access import ServiceAccess
from adapters.vault.addressing import Addressing, Place
from adapters.vault.api import KvVersions, VaultApi
from adapters.vault.store import VaultSecretStore
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.unit.adapters.vault.token_rig import Rig as TokenRig

if TYPE_CHECKING:
    from adapters.vault.access import Access
    from adapters.vault.api import KvVersion
    from domain.model.secret import Secret


class Rig(TokenRig):
    """A store over a model of Vault."""

    def __init__(self, *, fixed: KvVersion | None = None, access: Access | None = None) -> None:
        super().__init__()
        self.patience = 8.0
        self.model = self.calls.model
        api = VaultApi(
            calls=self.calls,
            access=access or ServiceAccess(self.tokens),
            versions=KvVersions(self.clock, fixed),
            clock=self.clock,
        )
        addressing = Addressing(
            default=Place("secret"),
            mounts=frozenset({"kv1", "gone", "pki"}),
            namespaces=frozenset({"team1"}),
        )
        self.store = VaultSecretStore(addressing, api, self.clock)

    async def get(self, key: str, version: str | None = None, **properties: str) -> Secret:
        location = self.store.locate(SecretReference(key, properties))
        deadline = self.clock.monotonic() + self.patience
        return await self.store.fetch(SecretQuery(location, version, CALLER, deadline))

    async def text(self, key: str, version: str | None = None, **properties: str) -> str | bytes:
        return (await self.get(key, version, **properties)).value.reveal()

    @property
    def targets(self) -> list[str]:
        return [call.target.removeprefix("/v1/") for call in self.model.reads]
