"""The cache is a cache of secrets like any other, with and without partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.contracts.cached_secrets import CachedSecretsContract
from tests.unit.adapters.cache.cache_rig import Rig, whole_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.cache.store import CachedSecretStore
    from domain.model.identity import Caller
    from domain.model.reference import SecretQuery


class TestCachedSecrets(CachedSecretsContract):
    partition: Callable[[Caller], Hashable] | None = None

    @pytest.fixture(autouse=True)
    def over_the_fake(self) -> None:
        self.rig = Rig(partition=type(self).partition)

    @override
    def cache(self) -> CachedSecretStore:
        return self.rig.cache

    @override
    async def keep(self, query: SecretQuery, value: str | bytes) -> str:
        self.rig.inner.put(query.location.path, value)
        return (await self.rig.request(query)).version

    @override
    async def expire(self) -> None:
        self.rig.clock.advance(60)


class TestCachedSecretsWithPartitions(TestCachedSecrets):
    shared = False
    partition = staticmethod(whole_caller)
