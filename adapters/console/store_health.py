"""Cache, limits, circuit breaker and store at a glance, from the figures that metrics have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.console.figures import ago, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.console.figures import Figures
    from adapters.console.sources import Check

_CHECKS: Final = {
    "store": ("Store", "answers"),
    "store_task": ("Background task of the store", "runs"),
}


class Health(NamedTuple):
    """One part.

    Attributes:
        state: a word or two.
        ok: whether all is well.
        detail: the figures behind it.
    """

    part: str
    state: str
    ok: bool
    detail: str


def store_health(figures: Figures, checks: Sequence[Check]) -> Iterator[Health]:
    """Yield a line for the store, the breaker, the cache, the limits and any watch."""
    for check in checks:
        if check.name in _CHECKS:
            detail = check.advice or f"found {ago(check.age_seconds)}"
            title, good = _CHECKS[check.name]
            yield Health(title, good if check.ok else "fails", check.ok, detail)
    yield _breaker(figures)
    yield _cache(figures)
    yield from _limits(figures)
    yield from _watch(figures)


def _breaker(figures: Figures) -> Health:
    is_open = figures.total("store_circuit_open") > 0
    opened = figures.total("store_circuit_opened_total")
    refused = figures.total("store_circuit_refused_total")
    return Health(
        "Circuit breaker",
        "open" if is_open else "closed",
        not is_open,
        f"opened {opened:,.0f} times; {refused:,.0f} calls refused meanwhile",
    )


def _cache(figures: Figures) -> Health:
    lookups = figures.total("cache_lookups_total")
    hits = figures.total("cache_lookups_total", result="hit")
    share = f"{hits / lookups:.0%} of {lookups:,.0f} lookups" if lookups else "no lookup yet"
    entries, held = figures.total("cache_entries"), size(figures.total("cache_bytes"))
    stale = figures.total("cache_stale_total")
    return Health(
        "Cache",
        f"{entries:,.0f} values" if entries else "empty",
        True,  # noqa: FBT003  an empty cache is none that fails
        f"{held}; answered {share}; {stale:,.0f} stale answers",
    )


def _limits(figures: Figures) -> Iterator[Health]:
    paused: dict[str, float] = {}
    for metric in figures.now():
        for sample in metric.samples:
            if sample.name.endswith("_pause_seconds"):
                kind = " ".join(("calls", *sample.labels.values()))
                paused[kind] = max(paused.get(kind, 0.0), sample.value)
    waiting = figures.total("requests_waiting")
    room = figures.total("requests_waiting_limit")
    held = [f"{kind} held back for {duration(left)}" for kind, left in paused.items() if left > 0]
    detail = [*held, f"{waiting:,.0f} of at most {room:,.0f} requests wait for the store"]
    yield Health("Limits", "holding back" if held else "free", not held, "; ".join(detail))


def _watch(figures: Figures) -> Iterator[Health]:
    down = figures.values("kubernetes_watch_down_seconds")
    if not down:
        return
    longest = max(down.values())
    events = figures.total("kubernetes_watch_events_total")
    live = figures.total("kubernetes_watches", state="live")
    since = f"down for {duration(longest)}; " if longest else ""
    yield Health(
        "Kubernetes watch",
        "down" if longest else "up",
        not longest,
        f"{since}{live:,.0f} watches live; {events:,.0f} events",
    )
