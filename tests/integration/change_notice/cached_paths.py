"""What both replicas have cached, and have forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.change_notice.conftest import Replica


PATHS = ("/payments/API_KEY", "/payments/live/KEY", "/paymentsKEY", "/other/KEY")


async def fill(replicas: list[Replica]) -> None:
    for replica in replicas:
        for environment in ("prod", "dev"):
            for path in PATHS:
                replica.store.put(path, "old", environment)
                await replica.fetch(path, environment)
        replica.store.queries.clear()


async def forgotten(replica: Replica) -> set[tuple[str, str]]:
    return {
        (environment, path)
        for environment in ("prod", "dev")
        for path in PATHS
        if (await replica.fetch(path, environment)).source != "cache"
    }
