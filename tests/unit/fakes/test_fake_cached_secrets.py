"""The fake cache does what every cache does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from domain.model.secret import Secret, SecretValue
from tests.contracts.cached_secrets import CachedSecretsContract
from tests.fakes.cached_secrets import FakeCachedSecrets

if TYPE_CHECKING:
    from domain.model.reference import SecretQuery


class TestFakeCachedSecrets(CachedSecretsContract):
    @pytest.fixture(autouse=True)
    def empty(self) -> None:
        self.fake = FakeCachedSecrets()

    @override
    def cache(self) -> FakeCachedSecrets:
        return self.fake

    @override
    async def keep(self, query: SecretQuery, value: str | bytes) -> str:
        self.fake.put(query, Secret("1", SecretValue(value)))
        return "1"

    @override
    async def expire(self) -> None:
        self.fake.drop()
