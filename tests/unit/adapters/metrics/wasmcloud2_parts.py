"""What the samples of parts for wasmCloud 2 read, and those samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.wasmcloud2.message import RelayFigures, relay_samples
from adapters.wasmcloud2.plugin_app import PluginApp
from bootstrap.projection.main import projection_samples
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ports.plugin import Sample


@dataclass
class Relay:
    """What `relay_samples` reads of a relay for wasmCloud 2."""

    in_flight: int = 1
    held: tuple[str, ...] = ("shop-cart",)
    figures: RelayFigures = field(default_factory=RelayFigures)


@dataclass
class Projected:
    """What `projection_samples` reads of one directory, and of the agent that keeps it."""

    secrets: tuple[str, ...] = ("cart-db", "token")
    present: int = 1
    writes: int = 3
    failures: int = 0
    rounds: int = 4
    guardian_problem: str | None = None


def wasmcloud2_samples() -> Iterable[Sample]:
    """Yield every figure of the relay, the agent and the endpoint for plug-ins."""
    relay: Any = Relay()
    projected: Any = Projected()
    yield from relay_samples(relay, {"operator": True, "hosts": False})
    yield from projection_samples([projected], projected)
    yield from PluginApp(_never, FakeClock(), timeout_seconds=8, max_in_flight=1).samples()


async def _never(*_: object) -> Any:
    raise AssertionError("nothing is read for a scrape")
