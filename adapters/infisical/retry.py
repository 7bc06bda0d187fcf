"""Trying again: what may heal, with growing pauses, inside the deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from adapters.infisical import reasons
from adapters.infisical.exchange import ExchangeFailedError
from adapters.infisical.rate_limit import pause_asked_for
from domain.model.errors import StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.infisical.exchange import Answer
    from ports.clock import Clock

MAX_ATTEMPTS = 5
FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 2.0
SERVER_ERRORS = 500

_HEALING = frozenset({reasons.UNREACHABLE, reasons.TIMED_OUT})
_ADVICE = {
    reasons.UNREACHABLE: "Infisical cannot be reached; check INFISICAL_BASE_URL and the network.",
    reasons.TIMED_OUT: "Infisical did not answer in time; check its health, and try again in "
    "10 seconds.",
    reasons.CERTIFICATE_UNTRUSTED: "Infisical's certificate is not trusted; set INFISICAL_CA_FILE.",
    reasons.ANSWER_UNREADABLE: "Infisical's answer cannot be read; check any proxy before it.",
    reasons.ANSWER_TOO_LARGE: "Infisical's answer is too large to be one secret: check "
    "INFISICAL_BASE_URL and any proxy before it, or store a smaller value.",
}
_log = structlog.get_logger()


class Pause(Protocol):
    """What is told when the server asks to wait; every attempt keeps it by itself."""

    def extend(self, seconds: float) -> None:
        """Send nothing for at least that long from now."""
        ...

    def error(self) -> UpstreamError:
        """Return the error that says when to try again."""
        ...


class Retrier:
    """Repeats an attempt that failed in a way that may heal: no answer, or a server error.

    The pauses double from 0.2 s up to 2 s, each drawn anew between nothing and that ("full
    jitter"), so that replicas do not knock together.
    """

    def __init__(self, clock: Clock, jitter: Callable[[], float]) -> None:
        """Take a clock and a source of evenly spread numbers from 0 up to 1."""
        self._clock = clock
        self._jitter = jitter

    async def run(
        self,
        attempt: Callable[[], Awaitable[Answer]],
        *,
        pause: Pause,
        deadline: float,
    ) -> Answer:
        """Return the first answer below 500, or the last one.

        Args:
            attempt: waits for its turn and sends one request; raises ExchangeFailedError, or
                UpstreamError to give up.
            pause: extended by answers that ask for it.
            deadline: monotonic seconds; no wait between attempts is begun that would end after it.

        Raises:
            UpstreamError: there was no answer, the attempt gave up, or the server limited all.
        """
        number = 0
        answer: Answer | None = None
        failure: ExchangeFailedError | None = None
        while True:
            number += 1
            try:
                answer, failure = await self._try(attempt)
            except UpstreamError as error:
                if error.reason == reasons.BUSY and (answer or failure):
                    # That there is no place to try again is not why the request fails.
                    break
                raise
            limited = None if answer is None else pause_asked_for(answer, self._clock.now())
            if answer is not None and limited is not None:
                pause.extend(limited)
                _log.warning("infisical.rate_limited", pause_seconds=limited, **answer.log_fields())
                if number == MAX_ATTEMPTS:
                    raise pause.error()
                answer = None
                continue
            if answer is not None and answer.status < SERVER_ERRORS:
                return answer
            delay = self._jitter() * min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (number - 1))
            if (
                number == MAX_ATTEMPTS
                or (failure is not None and failure.reason not in _HEALING)
                or self._clock.monotonic() + delay >= deadline
            ):
                break
            await self._clock.sleep(delay)
        if answer is not None:
            return answer
        reason = reasons.UNREACHABLE if failure is None else failure.reason
        kind = StoreUnavailable if reason in _HEALING else UpstreamError
        raise kind(_ADVICE[reason], reason=reason)

    async def _try(
        self, attempt: Callable[[], Awaitable[Answer]]
    ) -> tuple[Answer | None, ExchangeFailedError | None]:
        try:
            answer = await attempt()
        except ExchangeFailedError as failure:
            _log.warning("infisical.attempt_failed", reason=failure.reason, kind=failure.kind)
            return None, ExchangeFailedError(failure.reason, failure.kind)
        if answer.status >= SERVER_ERRORS:
            _log.warning("infisical.attempt_failed", **answer.log_fields())
        return answer, None
