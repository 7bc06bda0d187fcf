"""Whether this replica can answer requests: named checks, made as seldom as their age allows."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, final

import structlog

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from ports.clock import Clock

PATIENCE_SECONDS: Final = 0.5
"""Orchestrators give a probe one second: a slower check goes on behind it for the next one."""

_log = structlog.get_logger()


class Finding(NamedTuple):
    """What a check found. `advice`: what to do about it, empty when all is well. Every client of
    the admin HTTP can read it, so it holds no credential.
    """

    ok: bool
    advice: str = ""


class Disproof(NamedTuple):
    """What real work came to that speaks against an earlier finding.

    Attributes:
        at: monotonic seconds.
        advice: what to do about it, where that is certain; empty where a check has to tell whether
            more is wrong than that one piece of work.
    """

    at: float
    advice: str = ""


class ReadinessCheck(NamedTuple):
    """One thing without which requests would be refused.

    Attributes:
        name: a constant word; it becomes a label of metrics.
        probe: makes the check. Whatever it raises counts as an unexpected failure.
        limit_seconds: how long it may take.
        fresh_seconds: how long a finding that all is well stands before it is made again.
        retry_seconds: the same for any other finding, and for one that was disproved since.
        proof: the monotonic seconds at which real work last showed that all is well, if it can
            tell; that counts as a check made then.
        disproof: the last that real work showed to be wrong, if it can tell.
        possible: whether the check can be made by now; it is not while this says no.
    """

    name: str
    probe: Callable[[], Awaitable[Finding]]
    limit_seconds: float = 2.0
    fresh_seconds: float = 1.0
    retry_seconds: float = 1.0
    proof: Callable[[], float | None] = lambda: None
    disproof: Callable[[], Disproof | None] = lambda: None
    possible: Callable[[], bool] = lambda: True


class Verdict(NamedTuple):
    """A finding, and how old it is."""

    ok: bool
    advice: str
    age_seconds: float


@dataclass(slots=True)
class _Watched:
    check: ReadinessCheck
    finding: Finding | None = None
    found_at: float = 0.0
    made_at: float = -math.inf
    running: asyncio.Task[None] | None = None


@final
class Readiness:
    """All checks of one replica; any number of probes at a time share each check under way."""

    def __init__(self, checks: Iterable[ReadinessCheck], clock: Clock) -> None:
        self._clock = clock
        self._watched = {check.name: _Watched(check) for check in checks}

    def refresh(self) -> set[asyncio.Task[None]]:
        """Begin the checks that are due, and return all that are under way."""
        now = self._clock.monotonic()
        for watched in self._watched.values():
            if watched.running is None and _is_due(watched, now) and watched.check.possible():
                watched.running = asyncio.create_task(
                    self._make(watched), name=f"readiness-{watched.check.name}"
                )
        return {watched.running for watched in self._watched.values() if watched.running}

    def note(self, name: str, finding: Finding) -> None:
        """Set the finding of the check with this name to one that was made elsewhere."""
        watched = self._watched[name]
        watched.finding = finding
        watched.found_at = watched.made_at = self._clock.monotonic()

    async def report(self) -> Mapping[str, Verdict]:
        """Return a verdict for every check, waiting half a second at most for those under way.

        A check that takes longer is reported as it was found before; until it first ends, as not
        ready.
        """
        if running := self.refresh():
            try:
                async with self._clock.timeout_at(self._clock.monotonic() + PATIENCE_SECONDS):
                    await asyncio.wait(running)
            except TimeoutError:
                pass
        return {name: self._verdict(watched) for name, watched in self._watched.items()}

    def last(self) -> Mapping[str, Verdict]:
        """Return the last verdict of every check that was ever made, without making any."""
        return {
            name: self._verdict(watched)
            for name, watched in self._watched.items()
            if watched.finding is not None
        }

    def samples(self) -> Iterator[Sample]:
        """Yield the last verdicts for metrics; no check is made for a scrape."""
        for name, verdict in self.last().items():
            labels = (("check", name),)
            yield Sample(
                "readiness_check_ok",
                "1 while this check of /readyz holds, otherwise 0; absent until it was made.",
                verdict.ok,
                labels,
            )
            yield Sample(
                "readiness_check_age_seconds",
                "Seconds since the check was made.",
                verdict.age_seconds,
                labels,
            )

    async def aclose(self) -> None:
        """End the checks under way."""
        running = {watched.running for watched in self._watched.values() if watched.running}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _make(self, watched: _Watched) -> None:
        check = watched.check
        began = self._clock.monotonic()
        try:
            async with self._clock.timeout_at(began + check.limit_seconds):
                finding = await check.probe()
        except TimeoutError:
            finding = Finding(
                ok=False,
                advice=f"The check did not end within {check.limit_seconds:g} seconds; see the "
                "service's log.",
            )
        except Exception as error:  # noqa: BLE001  a probe must get an answer, whatever broke
            _log.exception("admin_http.check_failed", check=check.name, error=type(error).__name__)
            finding = Finding(ok=False, advice="The check itself failed; see the service's log.")
        finally:
            watched.running = None
        self.note(check.name, finding)

    def _verdict(self, watched: _Watched) -> Verdict:
        disproof = _take_evidence(watched)
        now = self._clock.monotonic()
        if disproof is not None and disproof.advice:
            return Verdict(
                ok=False, advice=disproof.advice, age_seconds=max(0.0, now - disproof.at)
            )
        if watched.finding is None:
            return Verdict(
                ok=False, advice="Not checked yet; ask again in a moment.", age_seconds=0.0
            )
        finding = watched.finding
        return Verdict(finding.ok, finding.advice, max(0.0, now - watched.found_at))


def _is_due(watched: _Watched, now: float) -> bool:
    check = watched.check
    disproof = _take_evidence(watched)
    if watched.finding is not None and watched.finding.ok and disproof is None:
        return now - watched.found_at >= check.fresh_seconds
    return now - watched.made_at >= min(check.retry_seconds, check.fresh_seconds)


def _take_evidence(watched: _Watched) -> Disproof | None:
    """Let a newer proof stand for the finding, and return what speaks against it since, if so."""
    proved_at = watched.check.proof()
    if proved_at is not None and (watched.finding is None or proved_at > watched.found_at):
        watched.finding, watched.found_at = Finding(ok=True), proved_at
    disproof = watched.check.disproof()
    if disproof is None or watched.finding is None:
        return disproof
    # A check that failed says more of what is wrong.
    return disproof if watched.finding.ok and disproof.at > watched.found_at else None
