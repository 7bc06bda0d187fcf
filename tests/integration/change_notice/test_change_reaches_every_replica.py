"""Webhooks and flushes on a real nats-server: both caches forget, and operators hear of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.integration.change_notice.cached_paths import PATHS, fill, forgotten

if TYPE_CHECKING:
    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.change_notice.conftest import Operator, Replica, StartReplica


async def test_a_webhook_at_one_replica_empties_the_folder_in_both_and_is_published(
    replicas: list[Replica], operator: Operator
) -> None:
    await fill(replicas)

    response = await replicas[0].webhook(secretPath="/payments")

    assert response.status_code == 204
    (event,) = await operator.heard()
    for replica in replicas:
        assert await forgotten(replica) == {
            ("prod", "/payments/API_KEY"),
            ("prod", "/payments/live/KEY"),
        }
    assert (
        event.items()
        >= {
            "event": "secrets.changed",
            "cause": "store",
            "environment": "prod",
            "project_id": "p-1",
            "folder": "/payments",
            "replicas": 2,
        }.items()
    )


async def test_the_event_comes_once_and_a_replayed_or_forged_webhook_brings_none(
    replicas: list[Replica], operator: Operator
) -> None:
    await replicas[0].webhook()
    forged = await replicas[1].webhook(environment="a\nb")
    await operator.heard()
    await asyncio.sleep(0.1)

    assert forged.status_code == 422
    assert len(operator.events) == 1


async def test_a_call_under_way_does_not_bring_the_old_value_back_on_any_replica(
    replicas: list[Replica], operator: Operator
) -> None:
    for replica in replicas:
        replica.store.put(PATHS[0], "old")
        replica.store.gate.clear()
    early = [asyncio.create_task(replica.fetch(PATHS[0])) for replica in replicas]
    for replica in replicas:
        await replica.store.asked.wait()

    await replicas[0].webhook(secretPath="/payments")
    await operator.heard()
    for replica in replicas:
        replica.store.gate.set()
    assert {secret.value.reveal() for secret in await asyncio.gather(*early)} == {"old"}
    for replica in replicas:
        replica.store.put(PATHS[0], "new")

    for replica in replicas:
        fetched = await replica.fetch(PATHS[0])
        assert (fetched.source, fetched.value.reveal()) == ("store", "new")


async def test_while_nats_is_away_the_replica_asked_forgets_and_says_that_the_others_have_not(
    start_replica: StartReplica, fresh_nats_server: LocalNatsServer
) -> None:
    replicas = [
        await start_replica(name, fresh_nats_server.url) for name in ("replica-1", "replica-2")
    ]
    await fill(replicas)
    await fresh_nats_server.kill()
    async with asyncio.timeout(10):
        while replicas[0].client.is_connected:  # noqa: ASYNC110  there is no event
            await asyncio.sleep(0.01)

    response = await replicas[0].webhook(secretPath="/")
    assert (response.status_code, response.json()["error"]) == (503, "disconnected")
    assert await replicas[0].kept() == len(PATHS)
    assert await replicas[1].kept() == 2 * len(PATHS)

    await fresh_nats_server.start()
    async with asyncio.timeout(20):
        while not all(replica.client.is_connected for replica in replicas):  # noqa: ASYNC110  there is no event
            await asyncio.sleep(0.01)
    response = await replicas[0].webhook(secretPath="/")
    assert response.status_code == 204
    async with asyncio.timeout(10):
        while await replicas[1].kept() > len(PATHS):  # noqa: ASYNC110  there is no event
            await asyncio.sleep(0.01)


async def test_many_notices_at_once_all_reach_both_replicas_and_operators(
    replicas: list[Replica], operator: Operator
) -> None:
    responses = await asyncio.gather(
        *(replicas[number % 2].webhook(secretPath=f"/f{number}") for number in range(150))
    )

    assert {response.status_code for response in responses} == {204}
    events = await operator.heard(150)
    assert {event["folder"] for event in events} == {f"/f{number}" for number in range(150)}
    assert {event["replicas"] for event in events} == {2}


async def test_a_replica_that_closes_still_publishes_what_it_has_announced(
    replicas: list[Replica], operator: Operator
) -> None:
    await replicas[0].webhook()
    await replicas[0].notices.aclose()

    assert len(await operator.heard()) == 1
