"""A cache that reads again what it served, over a store whose reads are timed."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.cache.recheck import RecheckedSecretStore
from adapters.cache.recheck_config import RecheckConfig
from domain.model.reference import SecretLocation, SecretQuery
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from domain.model.secret import Secret
    from domain.model.selection import Selection


PROD = (("environment", "prod"),)
MINUTES = 60.0


def query(path: str, version: str | None = None) -> SecretQuery:
    return SecretQuery(SecretLocation(path, PROD), version, CALLER, deadline=1e12)


class TimedStore(FakeSecretStore):
    """Attributes: `asked_at`, when each path was asked for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.asked_at: list[tuple[float, str]] = []

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        self.asked_at.append((self.clock.monotonic(), query.location.path))
        return await super().fetch(query)


class Rig:
    """Attributes: `told`, each selection announced, with the seconds since the beginning."""

    def __init__(self, *, seconds: float = 600.0, per_minute: int = 30, most: int = 1000) -> None:
        self.clock = FakeClock()
        self.began = self.clock.monotonic()
        self.store = TimedStore(self.clock)
        self.told: list[tuple[float, Selection]] = []
        self.notifies_itself = True
        self.recheck = RecheckedSecretStore(
            self.store,
            RecheckConfig(seconds, per_minute, most, call_seconds=8.0),
            self.clock,
            random.Random(5).random,
            self.changed,
        )

    def changed(self, selection: Selection) -> Awaitable[None]:
        self.told.append((self.clock.monotonic() - self.began, selection))
        # As the service does: the order to forget reaches this process too.
        self.recheck.invalidate(selection)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def put(self, *paths: str, value: str = "old") -> None:
        for path in paths:
            self.store.put(path, value)

    async def serve(self, *paths: str) -> None:
        for path in paths:
            await self.recheck.fetch(query(path))

    async def wait(self, seconds: float) -> None:
        await self.clock.run(asyncio.create_task(self.clock.sleep(seconds)))

    def paths_told(self) -> list[str | None]:
        return [selection.key for _, selection in self.told]

    def reads(self) -> list[str]:
        return [asked.location.path for asked in self.store.queries]


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    task = asyncio.create_task(rig.recheck.run())
    yield rig
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
