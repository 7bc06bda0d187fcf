"""What an outage of the store costs a host: HOST_FREEZE_SECONDS for each start, no more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from tests.support.environments import local_infisical_environment
from tests.support.host import new_token
from tests.support.infisical_server import Break, InfisicalServer
from tests.support.lattice_host import Artifact, LatticeHost, Link
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer

ISSUER = SigningKey.generate(KeyKind.ACCOUNT)
KEYS = [f"KEY_{number}" for number in range(10)]
FREEZE = 2.0
SLACK = 1.0
"""Seconds that a busy machine may add."""


@pytest_asyncio.fixture
async def infisical() -> AsyncIterator[InfisicalServer]:
    async with InfisicalServer() as server:
        for key in KEYS:
            server.model.put(key, key)
        yield server


@pytest.fixture
def settings(
    infisical: InfisicalServer, fresh_nats_server: LocalNatsServer, tmp_path: Path
) -> dict[str, str]:
    return local_infisical_environment(
        infisical, fresh_nats_server.url, "wasmcloud.secrets", tmp_path
    ) | {"HOST_FREEZE_SECONDS": str(FREEZE), "CACHE_TTL_SECONDS": "0"}


async def references(host: LatticeHost) -> tuple[str, ...]:
    return tuple([await host.put_secret_reference(key.lower(), key) for key in KEYS])


def component(names: tuple[str, ...]) -> Artifact:
    return Artifact(new_token(ISSUER, KeyKind.COMPONENT), names)


async def test_a_start_fails_within_its_time_while_the_store_hangs(
    settings: dict[str, str], tmp_path: Path, infisical: InfisicalServer, host: LatticeHost
) -> None:
    names = await references(host)
    async with ServiceProcess(settings, tmp_path):
        infisical.breaks.extend([Break.HANG] * 1000)
        starting = asyncio.create_task(host.scale("checkout", component(names)))
        await asyncio.sleep(0.1)
        others_waited = await host.inventory()
        event = await starting

    assert event.error.startswith(
        "Unable to fetch requested secrets: server error: Error fetching secret: "
    )
    assert event.seconds <= FREEZE + SLACK
    assert others_waited <= event.seconds


async def test_ten_links_of_a_provider_wait_no_longer_together_than_one_start_may(
    settings: dict[str, str], tmp_path: Path, infisical: InfisicalServer, host: LatticeHost
) -> None:
    """A host goes on with the next link after one has failed."""
    names = await references(host)
    provider = Artifact(new_token(ISSUER, KeyKind.PROVIDER))
    async with ServiceProcess(settings, tmp_path):
        await host.start_provider("redis", provider)
        for name in names[1:]:
            host._links.add(Link(f"from-{name}", "redis", target_secrets=(name,)))
        infisical.breaks.extend([Break.HANG] * 1000)
        begun = host._clock.monotonic()
        await host.put_link(Link("first", "redis", target_secrets=names[:1]))
        waited = host._clock.monotonic() - begun

    assert host.running["redis"].links == {}
    assert waited <= FREEZE + SLACK


async def test_slow_answers_that_add_up_end_in_a_refusal(
    settings: dict[str, str], tmp_path: Path, infisical: InfisicalServer, host: LatticeHost
) -> None:
    names = await references(host)

    async def slow(_: object, __: object) -> None:
        await asyncio.sleep(0.7)

    async with ServiceProcess(settings, tmp_path):
        infisical.wire = slow
        event = await host.scale("checkout", component(names))

    assert event.error
    assert event.seconds <= FREEZE + SLACK


async def test_a_host_is_refused_at_once_while_the_store_is_known_to_be_down(
    settings: dict[str, str], tmp_path: Path, infisical: InfisicalServer, host: LatticeHost
) -> None:
    names = await references(host)
    async with ServiceProcess(settings, tmp_path) as service:
        infisical.breaks.extend([Break.HANG] * 1000)
        for number, name in enumerate(names[:5]):
            await host.scale(f"c-{number}", component((name,)))
        await service.wait_for("breaker.opened")
        refused = await host.scale("late", component(names[5:]))
        infisical.breaks.clear()
        async with asyncio.timeout(20):
            while (await host.scale("back", component(names[5:]))).error:
                await service.wait_for("breaker.half_open")

    assert refused.error
    assert refused.seconds <= SLACK


async def test_ten_secrets_that_each_come_in_time_are_all_served(
    settings: dict[str, str], tmp_path: Path, host: LatticeHost
) -> None:
    names = await references(host)

    async with ServiceProcess(settings, tmp_path):
        event = await host.scale("checkout", component(names))

    assert event.error == ""
    assert list(host.running["checkout"].values.values()) == KEYS
