"""An honest host beside the attacks: what it lost, and how long it waited."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.model.errors import SecretsError
from ports.transport import ChannelError

if TYPE_CHECKING:
    from tests.support.host import Host

_PAUSE_SECONDS = 0.02


@dataclass
class Reads:
    """What became of an honest host's reads.

    Attributes:
        latencies: seconds that each answered read took.
        refused: by the error's name, how many were refused.
        lost: how many got no reply within the ten seconds that hosts wait.
    """

    latencies: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    lost: int = 0

    @property
    def asked(self) -> int:
        """How many there were."""
        return len(self.latencies) + sum(self.refused.values()) + self.lost

    def quantile(self, part: float) -> float:
        """Return the seconds within which that part of the answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


async def read_until(host: Host, key: str, token: str, stop: asyncio.Event) -> Reads:
    """Ask for one secret again and again, a little after each answer."""
    reads = Reads()
    while not stop.is_set():
        started = time.perf_counter()
        try:
            await host.get(key, entity_token=token)
        except SecretsError as error:
            name = f"{type(error).__name__}: {error.advice[:60]}"
            reads.refused[name] = reads.refused.get(name, 0) + 1
        except ChannelError:
            reads.lost += 1
        else:
            reads.latencies.append(time.perf_counter() - started)
        await asyncio.sleep(_PAUSE_SECONDS)
    return reads
