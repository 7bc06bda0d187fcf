"""What requests show of the store, for a check that so need not ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from adapters.admin_http.readiness import Disproof
from adapters.breaker.circuit import State

if TYPE_CHECKING:
    from bootstrap.store_parts import StoreStack
    from ports.clock import Clock

LEFT_ALONE: Final = (
    "Calls to the secret store failed one after another, so it is left alone and tried again every "
    "few seconds; check its health and the network to it."
)


@final
class StoreEvidence:
    """Asks the layers around one store."""

    def __init__(self, stack: StoreStack, clock: Clock) -> None:
        self._stack = stack
        self._clock = clock

    def proof(self) -> float | None:
        """Return the monotonic seconds at which a request last got its value from the store."""
        metered = self._stack.metered
        return None if metered is None else metered.last_success()

    def disproof(self) -> Disproof | None:
        """Return what says that the store does not answer, or not to this service's credentials.

        That logins are withheld is certain for as long as it lasts, and asking would not change it.
        A breaker that is open is certain until something has been answered since. A single call
        that failed may have been one for a secret that is broken by itself: a check has to tell.
        """
        infisical = self._stack.parts.infisical
        advice = None if infisical is None else infisical.state().login_advice
        if advice is not None:
            return Disproof(self._clock.monotonic(), advice)
        metered, breaker = self._stack.metered, self._stack.breaker
        failed_at = None if metered is None else metered.failed_at()
        if failed_at is None:
            return None
        is_closed = breaker is None or breaker.state().state is State.CLOSED
        return Disproof(failed_at, "" if is_closed else LEFT_ALONE)
