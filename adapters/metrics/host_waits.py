"""What hosts have waited, for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.use_cases.host_waits import HostWaits


def host_wait_samples(waits: HostWaits) -> Iterator[Sample]:
    """Yield every figure as it is now."""
    yield Sample(
        "hosts_frozen_seconds_total",
        "Time that hosts, all their components locked, waited a second or longer for the store.",
        waits.frozen_seconds,
        kind="counter",
    )
    yield Sample(
        "host_waits_cut_short_total",
        "Requests that got less time because of what their host had waited in the same start.",
        waits.cut_short,
        kind="counter",
    )
