"""A store over a model of Vault, with a clock in the test's hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.upstream.credentials import FixedText
from adapters.vault.access import ServiceAccess
from adapters.vault.addressing import Addressing, Place
from adapters.vault.api import KvVersions, VaultApi
from adapters.vault.login import app_role
from adapters.vault.service_tokens import ServiceTokens
from adapters.vault.store import VaultSecretStore
from adapters.vault.token_makers import LoginMaker
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.unit.adapters.vault.model_calls import ModelCalls, new_refusals

if TYPE_CHECKING:
    from adapters.vault.access import Access
    from adapters.vault.api import KvVersion
    from domain.model.secret import Secret


class Rig:
    """A store over a model of Vault."""

    def __init__(self, *, fixed: KvVersion | None = None, access: Access | None = None) -> None:
        self.calls, self.clock = ModelCalls(), FakeClock()
        self.patience = 8.0
        self.model = self.calls.model
        method = app_role("approle", FixedText(SecretStr(ROLE_ID)), FixedText(SecretStr(SECRET_ID)))
        refusals = new_refusals(self.clock)
        maker = LoginMaker(method, "", self.calls, refusals, self.clock)
        self.tokens = ServiceTokens(maker, self.clock, lambda: 0.0)
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

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await settle()

    @property
    def targets(self) -> list[str]:
        return [call.target.removeprefix("/v1/") for call in self.model.reads]
