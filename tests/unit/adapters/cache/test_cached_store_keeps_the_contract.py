"""A cached store is a store like any other, whether it keeps anything or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.cache.config import CacheConfig
from tests.contracts.fake_outages import FakeOutages
from tests.unit.adapters.cache.cache_rig import Rig, whole_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adapters.cache.store import CachedSecretStore
    from domain.model.identity import Caller


class TestCachedStore(FakeOutages):
    config = CacheConfig(max_stale_seconds=60)
    partition: Callable[[Caller], Hashable] | None = None

    @pytest.fixture(autouse=True)
    def over_the_fake(self) -> None:
        self.rig = Rig(self.config, partition=type(self).partition)
        self.inner, self.clock = self.rig.inner, self.rig.clock

    @override
    def store(self) -> CachedSecretStore:
        return self.rig.cache

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        return self.rig.inner.put("/" + key, value)

    @override
    def deadline(self) -> float:
        return self.rig.clock.monotonic() + 10

    async def test_what_was_read_once_reads_the_same_from_memory(self) -> None:
        values: tuple[str | bytes, ...] = ("text ✓", "", b"\x00\xff", b"", "\ud800")
        for number, value in enumerate(values):
            await self.put(f"contract/{number}", value)
            first, second = [await self.get(f"contract/{number}") for _ in range(2)]

            assert second.value.reveal() == first.value.reveal() == value
            assert type(second.value.reveal()) is type(value)
            assert second.version == first.version


class TestCachedStoreWithPartitions(TestCachedStore):
    partition = staticmethod(whole_caller)


class TestCachedStoreThatKeepsNothing(TestCachedStore):
    config = CacheConfig(ttl_seconds=0)
