"""CPU for each request of a busy service, against what libsodium alone takes for it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figures import cost_each, median_ratio
from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.floor import Floor

GOAL = 1.6

_SECRETS = 50
_HOSTS = 512
_FLOOR_CALLS = 4000


async def measure(
    floor: Floor, settings: Mapping[str, str], *, rounds: int, requests: int
) -> tuple[Section, float]:
    """Alternate between the floor and the service, and compare neighbours.

    Returns:
        the findings, and the floor in microseconds.
    """
    keys = [secret_name(number % _SECRETS) for number in range(requests)]
    floors, errors = [floor.measure(_FLOOR_CALLS)], 0
    costs: list[float] = []
    costs_of_new: list[float] = []
    async with set_up(settings, secrets=_SECRETS) as stage:
        for _ in range(rounds):
            for found, in_new_words in ((costs, False), (costs_of_new, True)):
                prepared = stage.prepare(keys, in_new_words=in_new_words)
                await stage.warm(keys)
                before = stage.service.cpu_seconds()
                result = await stage.send(keys, prepared, _HOSTS)
                found.append(cost_each(stage.service.cpu_seconds() - before, requests))
                errors += requests - result.answered
                stage.service.shorten_log()
            floors.append(floor.measure(_FLOOR_CALLS))
    ratio, lowest = median_ratio(costs, floors), median(floors)
    ratio_of_new = median_ratio(costs_of_new, floors)
    return Section(
        "CPU for a request at saturation, one process, cache warm",
        [
            Row("libsodium's calls alone (the floor)", f"{lowest:.0f} µs", "1.00"),
            Row("the whole service", f"{median(costs):.0f} µs", f"{ratio:.2f} x floor"),
            Row(
                "the same for requests not seen before",
                f"{median(costs_of_new):.0f} µs",
                f"{ratio_of_new:.2f} x floor",
            ),
            Row(f"goal: at most {GOAL} x floor", "met" if ratio <= GOAL else "missed"),
            Row("requests, refused among them", f"{2 * rounds * requests}, {errors}"),
        ],
        {
            "floor_us": floors,
            "service_us": costs,
            "ratio": ratio,
            "in_new_words_us": costs_of_new,
            "in_new_words_ratio": ratio_of_new,
            "goal": GOAL,
            "requests": 2 * rounds * requests,
            "errors": errors,
        },
    ), lowest
