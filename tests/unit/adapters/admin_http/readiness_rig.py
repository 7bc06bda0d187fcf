"""Readiness with one check whose verdicts a test writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.admin_http.readiness import (
    Disproof,
    Finding,
    Readiness,
    ReadinessCheck,
    Verdict,
)
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Mapping

ADVICE = "Start the store."


class Probe:
    """Finds what a test says, once `gate` is open."""

    def __init__(self) -> None:
        self.finding = Finding(ok=True)
        self.failure: BaseException | None = None
        self.calls = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Finding:
        self.calls += 1
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.finding


class Watched:
    def __init__(
        self,
        *,
        limit_seconds: float = 5.0,
        fresh_seconds: float = 30.0,
        retry_seconds: float = 3.0,
    ) -> None:
        self.clock = FakeClock()
        self.probe = Probe()
        self.proved_at: float | None = None
        self.disproof: Disproof | None = None
        check = ReadinessCheck(
            "store",
            self.probe,
            limit_seconds=limit_seconds,
            fresh_seconds=fresh_seconds,
            retry_seconds=retry_seconds,
            proof=lambda: self.proved_at,
            disproof=lambda: self.disproof,
        )
        self.readiness = Readiness([check], self.clock)

    async def verdict(self) -> Verdict:
        return (await self.readiness.report())["store"]

    async def begun(self) -> asyncio.Task[Mapping[str, Verdict]]:
        """Return a report that waits for the probe."""
        self.probe.gate.clear()
        report = asyncio.create_task(self.readiness.report())
        await self.probe.asked.wait()
        return report
