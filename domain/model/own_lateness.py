"""When this service's own lateness, and not the store, is why a request has no answer."""

from __future__ import annotations

from typing import Final

from domain.model.errors import ServiceStarved

STARVED_SHARE: Final = 0.25
"""A process that loses this part of the time, or more, says nothing about how fast others are."""

SHORTEST_SECONDS: Final = 2.0
"""The least time looked at: a request that is refused at once is refused for what went before."""


RECENT_SECONDS: Final = 10.0
"""What readiness looks back on."""


def is_starved(late: float, seconds: float) -> bool:
    """Return whether that much lateness in that many seconds is too much."""
    return late >= STARVED_SHARE * seconds


def starved(late: float, seconds: float) -> ServiceStarved:
    """Return the error for a request that ran out of time by this service's own lateness."""
    return ServiceStarved(f"{_advice(late, seconds)} Start the component again in 10 seconds.")


def recent_advice(late: float) -> str:
    """Return what to do about so much lateness in the last ten seconds; "" if it is little."""
    return _advice(late, RECENT_SECONDS) if is_starved(late, RECENT_SECONDS) else ""


def _advice(late: float, seconds: float) -> str:
    return (
        f"This service itself is short of CPU, not the secret store: in the last {seconds:.0f} "
        f"seconds its work came {late:.1f} seconds late. Give it more CPU, or more WORKERS or "
        "replicas."
    )
