"""What a second worker process adds, with the load's own cost beside it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import cost_each, scaling_with_cores
from benchmarks.process_usage import cpu_seconds, machine_cpu_seconds
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.stage import Stage

_SECRETS = 50
_HOSTS = 512
_MANY = 2


@dataclass
class Rounds:
    """Figures of one number of workers, a value a round.

    Attributes:
        a_second: replies.
        cost_us: CPU of all service processes for one request.
        service: cores that they kept busy; the others likewise.
        load: the bench itself, with the upstream lookalike in it.
        nats: nats-server.
        elsewhere: whatever else runs on the machine.
    """

    a_second: list[float] = field(default_factory=list)
    cost_us: list[float] = field(default_factory=list)
    service: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    nats: list[float] = field(default_factory=list)
    elsewhere: list[float] = field(default_factory=list)
    errors: int = 0

    async def add(self, stage: Stage, keys: Sequence[str]) -> None:
        """Measure one round."""
        prepared = stage.prepare(keys)
        await stage.warm(keys)
        before = _usage(stage)
        started = time.perf_counter()
        result = await stage.send(keys, prepared, _HOSTS)
        seconds = time.perf_counter() - started
        used = [after - earlier for after, earlier in zip(_usage(stage), before, strict=True)]
        service, load, nats, machine = used
        self.a_second.append(result.a_second)
        self.cost_us.append(cost_each(service, len(keys)))
        self.service.append(service / seconds)
        self.load.append(load / seconds)
        self.nats.append(nats / seconds)
        self.elsewhere.append(max(0.0, machine - service - load - nats) / seconds)
        self.errors += len(keys) - result.answered
        stage.service.shorten_log()

    def cores(self) -> str:
        """Return who kept how many cores busy."""
        return (
            f"service {median(self.service):.2f}, load {median(self.load):.2f}, "
            f"NATS {median(self.nats):.2f}, rest {median(self.elsewhere):.2f}"
        )


async def measure(settings: Mapping[str, str], *, rounds: int, requests: int) -> Section:
    """Alternate between one worker and two, each with a nats-server of its own; warm caches."""
    keys = [secret_name(number % _SECRETS) for number in range(requests)]
    one, many = Rounds(), Rounds()
    async with (
        set_up({**settings, "WORKERS": "1"}, secrets=_SECRETS) as single,
        set_up({**settings, "WORKERS": str(_MANY)}, secrets=_SECRETS) as several,
    ):
        for _ in range(rounds):
            for stage, figures in ((single, one), (several, many)):
                # The other's turn took longer than the cache keeps a value.
                await stage.ask(keys[: 4 * _HOSTS], 64)
                await figures.add(stage, keys)
    pairs = list(zip(one.a_second, many.a_second, strict=True))
    measured = median(after / before for before, after in pairs)
    costs = median(one.cost_us), median(many.cost_us)
    free = scaling_with_cores(_MANY, *costs)
    return Section(
        f"From 1 to {_MANY} workers on {os.cpu_count()} cores, the load among them; cache warm",
        [
            Row("1 worker", f"{median(one.a_second):,.0f} a second", "1.00"),
            Row(f"{_MANY} workers", f"{median(many.a_second):,.0f} a second", f"{measured:.2f}"),
            Row(f"busy cores, 1 worker: {one.cores()}", ""),
            Row(f"busy cores, {_MANY} workers: {many.cores()}", ""),
            Row(
                "CPU of all service processes for a request",
                f"{costs[0]:.0f} µs, {costs[1]:.0f} µs",
                f"{costs[1] / costs[0]:.2f}",
            ),
            Row("load taken out, a free core for each worker (computed)", "", f"{free:.2f}"),
            Row("failures", f"{one.errors + many.errors}"),
        ],
        {
            "a_second": [one.a_second, many.a_second],
            "service_us": [one.cost_us, many.cost_us],
            "cores_service": [one.service, many.service],
            "cores_load": [one.load, many.load],
            "cores_nats": [one.nats, many.nats],
            "cores_elsewhere": [one.elsewhere, many.elsewhere],
            "ratio": measured,
            "ratio_with_free_cores": free,
            "errors": one.errors + many.errors,
        },
    )


def _usage(stage: Stage) -> tuple[float, float, float, float]:
    return (
        stage.service.cpu_seconds(),
        time.process_time(),
        cpu_seconds(stage.nats_pid),
        machine_cpu_seconds(),
    )
