"""The Kubernetes plug-in over a real HTTP connection to a modelled or recorded API server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from adapters.kubernetes.plugin import PLUGIN
from adapters.kubernetes.settings import KubernetesSettings
from adapters.system.clock import SystemClock
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.store_context import FakeStoreContext
from tests.support.kubernetes_model import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from domain.model.secret import Secret
    from ports.store_plugin import StoreParts


@dataclass
class Adapter:
    """A store as the service builds it."""

    parts: StoreParts
    context: FakeStoreContext

    async def get(
        self,
        key: str,
        field: str | None = None,
        version: str | None = None,
        *,
        seconds: float = 8.0,
        **properties: str,
    ) -> Secret:
        """Fetch within that many seconds."""
        location = self.parts.store.locate(SecretReference(key, properties, field))
        deadline = self.context.clock.monotonic() + seconds
        return await self.parts.store.fetch(SecretQuery(location, version, CALLER, deadline))

    def figure(self, name: str, *labels: tuple[str, str]) -> float:
        """Return one figure of the metrics."""
        (value,) = (
            sample.value
            for sample in self.parts.samples()
            if sample.name == name and sample.labels == labels
        )
        return value


OpenAdapter = Callable[..., Adapter]


@pytest_asyncio.fixture
async def open_adapter(tmp_path: Path) -> AsyncIterator[OpenAdapter]:
    """Open adapters that are closed at the end; settings by field name."""
    opened: list[Adapter] = []
    tasks: list[asyncio.Task[None]] = []
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")

    def open_one(url: str, **settings: Any) -> Adapter:
        values = {"api_url": url, "namespace": "shop", "token_file": token, **settings}
        values = {name: value for name, value in values.items() if value is not None}
        context = FakeStoreContext(clock=SystemClock(), jitter=random.random)
        adapter = Adapter(PLUGIN.build(KubernetesSettings(**values), context), context)
        opened.append(adapter)
        if adapter.parts.run is not None:
            tasks.append(asyncio.ensure_future(adapter.parts.run()))
        return adapter

    yield open_one
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    for adapter in opened:
        await adapter.parts.close()


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the environment's proxies at nothing, which must not matter."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
