"""Memory for what is cached, and over a long run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.report import Row, Section
from benchmarks.stage import secret_name, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHED_SECRETS = 10_000
_FILLING_HOSTS = 32
_RUN_SECRETS = 50
_RUN_HOSTS = 256
_BATCH = 20_000

_KEPT = {"CACHE_TTL_SECONDS": "3600"}
"""Long enough that nothing expires while the cache is being filled."""

_FORGOTTEN_SOON = {"REPLAY_WINDOW_SECONDS": "2"}
"""With its default of 300 s the guard against replays would still be filling up, as it should."""


async def measure_cached(settings: Mapping[str, str], *, secrets: int) -> Section:
    """Ask once for each of many secrets."""
    keys = [secret_name(number) for number in range(secrets)]
    async with set_up({**settings, **_KEPT}, secrets=secrets) as stage:
        await stage.ask(keys[:1] * 2000, 8)
        before = stage.service.resident_bytes()
        result = await stage.ask(keys, _FILLING_HOSTS)
        after = stage.service.resident_bytes()
        calls = stage.reads
        again = await stage.ask(keys, _FILLING_HOSTS)
        kept = 1 - (stage.reads - calls) / secrets
    each = (after - before) / secrets
    return Section(
        f"Memory after {secrets:,} cached secrets",
        [
            Row("in all", f"{after / 2**20:.0f} MiB", f"{after / before:.2f} x before"),
            Row("for each secret", f"{each / 1024:.1f} KiB"),
            Row("answered from the cache when asked again", f"{kept:.0%}"),
        ],
        {
            "before_bytes": before,
            "after_bytes": after,
            "each_bytes": each,
            "kept_share": kept,
            "errors": 2 * secrets - result.answered - again.answered,
        },
    )


async def measure_long_run(settings: Mapping[str, str], *, first: int, last: int) -> Section:
    """Compare memory after `last` requests with that after `first`."""
    keys = [secret_name(number % _RUN_SECRETS) for number in range(_BATCH)]
    grown: dict[int, int] = {}
    errors = 0
    async with set_up({**settings, **_FORGOTTEN_SOON}, secrets=_RUN_SECRETS) as stage:
        for done in range(_BATCH, last + 1, _BATCH):
            result = await stage.ask(keys, _RUN_HOSTS)
            errors += _BATCH - result.answered
            stage.service.shorten_log()
            grown[done] = stage.service.resident_bytes()
    ratio = grown[last] / grown[first]
    return Section(
        "Memory over a long run",
        [
            Row(f"after {first:,} requests", f"{grown[first] / 2**20:.1f} MiB", "1.00"),
            Row(f"after {last:,} requests", f"{grown[last] / 2**20:.1f} MiB", f"{ratio:.2f}"),
            Row("failures", f"{errors}"),
        ],
        {"bytes_after": grown, "ratio": ratio, "errors": errors},
    )
