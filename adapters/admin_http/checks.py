"""The checks behind /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from adapters.admin_http.readiness import Finding, ReadinessCheck
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.store_check import StoreCheck

STORE_FRESH_SECONDS: Final = 30.0
"""Every check is a call, and perhaps a login, that counts against the store's rate limits."""

STORE_LIMIT_SECONDS: Final = 20.0
"""Beyond what the stores' own checks give themselves, which then say more than "too slow"."""


class PolicyStatus(Protocol):
    """As `adapters.access_policy.file.PolicyStatus` has it."""

    @property
    def digest(self) -> str | None: ...

    @property
    def refusal(self) -> object | None: ...


def nats_check(is_connected: Callable[[], bool]) -> ReadinessCheck:
    """Check that a NATS server is there."""
    return _condition(
        "nats",
        is_connected,
        "Not connected to NATS; check that nats-server runs, NATS_URL and the credentials. The "
        "service goes on trying.",
    )


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
        "stream.",
    )


def policy_check(status: Callable[[], PolicyStatus]) -> ReadinessCheck:
    """Check that a policy file is in force; one refused since then is mentioned."""

    async def probe() -> Finding:
        now = status()
        if now.digest is None:
            return Finding(
                ok=False,
                advice="No access policy is in force; mend the file that ACCESS_POLICY_FILE names. "
                "The log lists its mistakes.",
            )
        if now.refusal is not None:
            return Finding(
                ok=True,
                advice="The access policy file has mistakes, which the log lists; the version "
                "before them stays in force.",
            )
        return Finding(ok=True)

    return ReadinessCheck("policy", probe)


def store_check(
    check: StoreCheck, last_success: Callable[[], float | None], is_serving: Callable[[], bool]
) -> ReadinessCheck:
    """Check that the store answers with the service's own credentials.

    Args:
        check: made at most every 30 seconds, and not while requests are being answered.
        last_success: monotonic seconds at which a request last got its value from the store.
        is_serving: no check is made before the service has started, when the connection that the
            store uses may not be there, nor while it stops.
    """

    async def probe() -> Finding:
        try:
            await check.check()
        except (StoreMisconfiguredError, StoreUnreachableError) as error:
            return Finding(ok=False, advice=str(error))
        return Finding(ok=True)

    return ReadinessCheck(
        "store",
        probe,
        limit_seconds=STORE_LIMIT_SECONDS,
        fresh_seconds=STORE_FRESH_SECONDS,
        proof=last_success,
        possible=is_serving,
    )


def _condition(name: str, holds: Callable[[], bool], advice: str) -> ReadinessCheck:
    async def probe() -> Finding:
        return Finding(ok=True) if holds() else Finding(ok=False, advice=advice)

    # It costs nothing, so no finding of it is ever old.
    return ReadinessCheck(name, probe, fresh_seconds=0)
