"""The checks behind /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.admin_http.readiness import Disproof, Finding, ReadinessCheck
from ports.store_check import StoreLimitedError, StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.store_check import StoreCheck

STORE: Final = "store"
"""The name of the check of the store."""

STORE_FRESH_SECONDS: Final = 15.0
"""Every check is a call, and perhaps a login, that counts against the store's rate limits."""

STORE_RETRY_SECONDS: Final = 3.0
"""A store that is up again is found within this time, while probes or scrapes arrive."""

STORE_LIMIT_SECONDS: Final = 20.0
"""Beyond what the stores' own checks give themselves, which then say more than "too slow"."""


def problem_check(
    name: str, problem: Callable[[], str | None], degraded: Callable[[], str | None] = lambda: None
) -> ReadinessCheck:
    """Check that a part names no problem of its own; what it names is the advice.

    Args:
        problem: makes the replica not ready.
        degraded: is only shown.
    """

    async def probe() -> Finding:
        advice = problem()
        return Finding(ok=advice is None, advice=advice or degraded() or "")

    # It costs nothing, so no finding of it is ever old.
    return ReadinessCheck(name, probe, fresh_seconds=0)


def serving_check(is_serving: Callable[[], bool]) -> ReadinessCheck:
    """Check that the service listens for requests: neither still starting nor already stopping."""
    return _condition(
        "serving", is_serving, "The service is starting or stopping; its log says how far it is."
    )


def audit_check(accepts: Callable[[], bool]) -> ReadinessCheck:
    """Check that the audit trail takes events, without which no secret leaves."""
    return _condition(
        "audit",
        accepts,
        "The audit trail takes no more events, so requests are refused; make room for its file or "
        "stream, and see that the log is read.",
    )


def process_check(lateness: Callable[[], str]) -> ReadinessCheck:
    """Check that this process does its work when it is due.

    It stays ready: taking a replica away leaves the others more to do, perhaps on the same CPUs.
    `lateness`: returns what to do about the process's own lateness, "" if it is on time.
    """
    return problem_check("process", lambda: None, lateness)


def store_check(
    check: StoreCheck,
    is_serving: Callable[[], bool],
    *,
    proof: Callable[[], float | None] = lambda: None,
    disproof: Callable[[], Disproof | None] = lambda: None,
    starved: Callable[[], str] = lambda: "",
) -> ReadinessCheck:
    """Check that the store answers with the service's own credentials.

    Args:
        check: made at most every 15 seconds, and not while requests are being answered; every 3
            seconds while it fails, or requests do.
        is_serving: no check is made before the service has started, when the connection that the
            store uses may not be there, nor while it stops.
        proof: monotonic seconds at which a request last got its value from the store.
        disproof: what requests came to since that says that the store does not answer.
        starved: returns what to do about this process's own lateness, "" if it is on time: it
            stands in the place of an unreachable store, which so is not blamed for it.
    """

    async def probe() -> Finding:
        error: Exception | None = None
        try:
            await check.check()
        except (StoreMisconfiguredError, StoreUnreachableError) as failure:
            error = failure
        if isinstance(error, StoreUnreachableError) and (advice := starved()):
            return Finding(ok=False, advice=advice)
        return store_finding(error)

    return ReadinessCheck(
        STORE,
        probe,
        limit_seconds=STORE_LIMIT_SECONDS,
        fresh_seconds=STORE_FRESH_SECONDS,
        retry_seconds=STORE_RETRY_SECONDS,
        proof=proof,
        disproof=disproof,
        possible=is_serving,
    )


def store_finding(error: Exception | None) -> Finding:
    """Return what the outcome of a `StoreCheck` means for this replica.

    A store that limits the rate is up: no other replica would be served sooner.
    """
    if error is None:
        return Finding(ok=True)
    return Finding(ok=isinstance(error, StoreLimitedError), advice=str(error))


def _condition(name: str, holds: Callable[[], bool], advice: str) -> ReadinessCheck:
    return problem_check(name, lambda: None if holds() else advice)
