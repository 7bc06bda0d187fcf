"""The secret store contract over a modelled server of each generation."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.contracts.secret_store import OUTAGE_TEXT, SecretStoreContract
from tests.support.infisical_generations import ALL
from tests.support.infisical_model import refusal

if TYPE_CHECKING:
    from ports.clock import Clock
    from ports.secret_store import SecretStore
    from tests.support.infisical_generations import Generation
    from tests.unit.adapters.infisical.conftest import World


@pytest.fixture(params=ALL, ids=lambda generation: generation.name)
def generation(request: pytest.FixtureRequest) -> Generation:
    """The rewrite in Go as well, whose answers were read in its code alone."""
    given: Generation = request.param
    return given


class TestInfisical(SecretStoreContract):
    """Binary values are marked by metadata."""

    world: World

    @pytest.fixture(autouse=True)
    def _world(self, world: World) -> None:
        self.world = world
        self.history = world.model.honours_version
        world.model.folders.add(("prod", "/contract"))

    @override
    def store(self) -> SecretStore:
        return self.world.store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        folder, _, name = key.rpartition("/")
        if isinstance(value, str):
            return self.world.model.put(name, value, folder=f"/{folder}")
        return self.world.model.put(
            name,
            base64.b64encode(value).decode(),
            folder=f"/{folder}",
            secretMetadata=[{"key": "encoding", "value": "base64"}],
        )

    @override
    def deadline(self) -> float:
        return self.world.clock.monotonic() + 8.0

    @override
    async def silence(self) -> Clock:
        self.world.gate.clear()
        return self.world.clock

    @override
    async def outage(self) -> None:
        self.world.model.faults = [refusal(503, OUTAGE_TEXT, OUTAGE_TEXT) for _ in range(20)]

    @override
    async def pass_time(self, seconds: float) -> None:
        await self.world.settle()
        self.world.clock.advance(seconds)
        await self.world.settle()
