"""CPU for each request of a busy service, against what libsodium alone takes for it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import cost_each, median_ratio
from benchmarks.report import Row, Section
from benchmarks.service import THIS, Build
from benchmarks.stage import metrics_on, secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.floor import Floor
    from benchmarks.stage import Stage

GOAL = 1.6

_SECRETS = 50
_HOSTS = 512
_FLOOR_CALLS = 2000


@dataclass
class _Measured:
    """One build and what its requests cost, a value a round."""

    build: Build
    stage: Stage
    costs: list[float] = field(default_factory=list)
    costs_of_new: list[float] = field(default_factory=list)
    errors: int = 0

    async def add(self, keys: Sequence[str]) -> None:
        """Measure one round of each kind."""
        for found, in_new_words in ((self.costs, False), (self.costs_of_new, True)):
            prepared = self.stage.prepare(keys, in_new_words=in_new_words)
            await self.stage.warm(keys)
            before = self.stage.service.cpu_seconds()
            result = await self.stage.send(keys, prepared, _HOSTS)
            found.append(cost_each(self.stage.service.cpu_seconds() - before, len(keys)))
            self.errors += len(keys) - result.answered
            self.stage.service.shorten_log()

    def section(self, floors: Sequence[float], requests: int) -> Section:
        """Compare each round with the floors before and after it."""
        ratio, ratio_of_new = (
            median_ratio(costs, floors) for costs in (self.costs, self.costs_of_new)
        )
        return Section(
            self.build.titled("CPU for a request at saturation, one process, cache warm"),
            [
                Row("libsodium's calls alone (the floor)", f"{median(floors):.0f} µs", "1.00"),
                Row("the whole service", f"{median(self.costs):.0f} µs", f"{ratio:.2f} x floor"),
                Row(
                    "the same for applications not seen before",
                    f"{median(self.costs_of_new):.0f} µs",
                    f"{ratio_of_new:.2f} x floor",
                ),
                Row(f"goal: at most {GOAL} x floor", "met" if ratio <= GOAL else "missed"),
                Row("requests, refused among them", f"{requests}, {self.errors}"),
            ],
            {
                "floor_us": list(floors),
                "service_us": self.costs,
                "ratio": ratio,
                "in_new_words_us": self.costs_of_new,
                "in_new_words_ratio": ratio_of_new,
                "goal": GOAL,
                "requests": requests,
                "errors": self.errors,
            },
        )


async def measure(
    floor: Floor,
    settings: Mapping[str, str],
    builds: Sequence[Build] = (THIS,),
    *,
    rounds: int,
    requests: int,
) -> tuple[list[Section], float]:
    """Alternate between the floor and the services, and compare neighbours.

    Returns:
        the findings for each build, and the floor in microseconds.
    """
    keys = [secret_name(number % _SECRETS) for number in range(requests)]
    async with AsyncExitStack() as opened:
        measured = []
        for build in builds:
            kept = {**settings, **metrics_on()}
            stage = await opened.enter_async_context(set_up(kept, secrets=_SECRETS, build=build))
            await stage.introduce(keys)
            measured.append(_Measured(build, stage))
        floors: list[float] = [floor.measure(_FLOOR_CALLS)]
        for _ in range(rounds):
            for each in measured:
                await each.add(keys)
            floors.append(floor.measure(_FLOOR_CALLS))
    asked = 2 * rounds * requests
    return [each.section(floors, asked) for each in measured], median(floors)
