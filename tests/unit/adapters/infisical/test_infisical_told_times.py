"""The times told, through the cache and the whole adapter: as a host hears them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from domain.model.errors import UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER

if TYPE_CHECKING:
    from adapters.infisical.settings import InfisicalSettings
    from tests.unit.adapters.infisical.conftest import ChangeConfig, World

LIMIT = 5
SECRETS = 14
HOSTS = 4


@pytest.fixture
def config(change_config: ChangeConfig) -> InfisicalSettings:
    return change_config(max_requests_per_minute=LIMIT)


async def test_every_host_that_comes_back_when_it_was_told_is_answered(world: World) -> None:
    cached = CachedSecretStore(
        world.store,
        CacheConfig(),
        world.clock,
        lambda: 0.0,
    )
    for number in range(SECRETS):
        world.model.put(f"K{number}", "v")

    async def ask(number: int) -> int | None:
        """Return the seconds after which to come back, or None when answered."""
        location = cached.locate(SecretReference(f"K{number}"))
        deadline = world.clock.monotonic() + 8.0
        try:
            await cached.fetch(SecretQuery(location, None, CALLER, deadline))
        except UpstreamError as refusal:
            found = re.search(r"try again in ([0-9]+) second", refusal.advice)
            assert found is not None
            return int(found[1])
        return None

    async def host(number: int) -> tuple[int | None, int | None]:
        told = await ask(number)
        if told is None:
            return None, None
        await world.clock.sleep(told)
        return told, await ask(number)

    hosts = [asyncio.create_task(host(number % SECRETS)) for number in range(SECRETS * HOSTS)]
    for _ in range(200):
        await world.settle()
        world.clock.advance(1.0)
    ends = await asyncio.gather(*hosts)
    await cached.aclose()

    assert {told for told, _ in ends} == {None, 60, 121}
    assert [again for _, again in ends] == [None] * len(hosts)
    assert len(world.model.reads) == SECRETS
