"""HTTP calls to one store: bounded by a deadline, repeated where that may help, typed errors."""

from __future__ import annotations

import asyncio
import json as json_text
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, NamedTuple, final
from urllib.parse import quote, urlencode

import structlog

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.failures import foreign_answer, not_resent, rate_limited, transport_error
from adapters.upstream.http1.engine import Http1Engine
from adapters.upstream.message import UpstreamRequest, UpstreamResponse
from adapters.upstream.rate_headers import SERVER_ERRORS, pause_asked_for
from adapters.upstream.statistics import CallStatistics, Lane
from domain.model.errors import StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.upstream.config import UpstreamConfig
    from adapters.upstream.engine import HttpEngine, Slot
    from ports.clock import Clock

MAX_ATTEMPTS: Final = 5
FIRST_DELAY_SECONDS: Final = 0.2
MAX_DELAY_SECONDS: Final = 2.0
NO_HEADERS: Final[Mapping[str, str]] = {}

_REDIRECTS = range(300, 400)
_BACKOFF: Final = -1.0


class _Verdict(NamedTuple):
    """What one attempt came to, and after what delay to try again; None is never."""

    outcome: UpstreamResponse | UpstreamError
    delay: float | None


def answers_json(response: UpstreamResponse) -> bool:
    """Say whether a response looks like an API's: JSON, and no redirect."""
    return response.is_json and response.status not in _REDIRECTS


@final
class UpstreamHttp:
    """Sends requests to one store; safe for concurrent calls of one event loop.

    Attributes:
        proven: the store has answered at its address.
        statistics: of all attempts, for metrics.
        adapt: makes of each response what it is taken for.
        on_outcome: called with what each attempt came to.
    """

    def __init__(
        self,
        config: UpstreamConfig,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        is_api_answer: Callable[[UpstreamResponse], bool] = answers_json,
        engine: HttpEngine | None = None,
    ) -> None:
        """Put the parts together; opens no connection.

        Args:
            is_api_answer: tells the store's own responses below 500 from those of anything else.
            engine: sends the requests; None for the usual one.

        Raises:
            OSError: a certificate file cannot be used.
        """
        self.config = config
        self._clock = clock
        self._jitter = jitter
        self._is_api_answer = is_api_answer
        self._engine = engine or Http1Engine(config)
        self._headers = {
            "User-Agent": config.user_agent,
            "Accept": "application/json",
            # A small packed body can hold gigabytes.
            "Accept-Encoding": "identity",
        }
        self._log = structlog.get_logger().bind(store=config.code)
        self._reads = asyncio.Semaphore(config.read_connections)
        self.proven = False
        self.statistics = CallStatistics()
        self.adapt: Callable[[UpstreamResponse], UpstreamResponse] = lambda response: response
        self.on_outcome: Callable[[UpstreamResponse | TransportError], None] = lambda _: None

    async def request(
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        headers: Mapping[str, str] = NO_HEADERS,
        query: Mapping[str, str] | None = None,
        json: object = None,
        body: bytes | None = None,
        retry: bool = True,
        lane: Lane = Lane.READ,
        slot: Slot = nullcontext,
        is_api_answer: Callable[[UpstreamResponse], bool] | None = None,
        judged: bool = True,
    ) -> UpstreamResponse:
        """Return the store's response.

        Transport failures, server errors (5xx) and responses that are not the store's are tried
        again, up to `MAX_ATTEMPTS` in all, with exponential backoff and full jitter; at once where
        the connection had been used before. A server error that stays is returned.

        Args:
            method: such as "GET".
            path: follows the base URL; begins with "/", percent-encoded.
            deadline: monotonic seconds.
            headers: beside User-Agent and Accept.
            query: is encoded and appended.
            json: becomes the body, as JSON.
            body: the body as it is.
            retry: the call changes nothing, so that it may be sent more than once.
            lane: a connection is left to LOGIN.
            is_api_answer: in place of the constructor's.
            judged: False returns responses that are not the store's as they are.

        Raises:
            StoreUnavailable: there is no response by the deadline, or not the store's.
            RateLimited: the server, or `slot`, has the request wait beyond the deadline.
            UpstreamError: waiting does not help: certificate, address, or size of the response.
        """
        if json is not None:
            body = json_text.dumps(json).encode()
            headers = {"Content-Type": "application/json", **headers}
        url = self.config.base_url + path
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        request = UpstreamRequest(method, url, {**self._headers, **headers}, body)
        attempts = MAX_ATTEMPTS if retry else 1
        judge = (is_api_answer or self._is_api_answer) if judged else None
        outcome: UpstreamResponse | UpstreamError
        try:
            async with self._clock.timeout_at(deadline):
                outcome = await self._repeat(
                    request, deadline, lane, slot, attempts=attempts, is_api_answer=judge
                )
        except TimeoutError:
            outcome = transport_error(Failure.TIMED_OUT, self.config)
        # Raised out here, so that no error has another one as its context.
        if isinstance(outcome, UpstreamError):
            raise outcome
        return outcome

    def drop_idle(self) -> None:
        """Use no connection again that is open now; calls in flight go on."""
        self._engine.drop_idle()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.aclose()

    async def _repeat(
        self,
        request: UpstreamRequest,
        deadline: float,
        lane: Lane,
        slot: Slot,
        *,
        attempts: int,
        is_api_answer: Callable[[UpstreamResponse], bool] | None,
    ) -> UpstreamResponse | UpstreamError:
        former: UpstreamResponse | UpstreamError | None = None
        number = 0
        while True:
            number += 1
            try:
                response = await self._attempt(request, lane, slot)
            except TransportError as error:
                verdict = self._judge_failure(error)
            except UpstreamError as refusal:
                return not_resent(former, refusal)
            else:
                verdict = self._judge(response, is_api_answer, waits=slot is not nullcontext)
            former = verdict.outcome
            delay = verdict.delay
            if delay == _BACKOFF:
                longest = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (number - 1))
                delay = self._jitter() * longest
            if delay is None or number == attempts or self._clock.monotonic() + delay >= deadline:
                return former
            await self._clock.sleep(delay)

    def _judge_failure(self, error: TransportError) -> _Verdict:
        self._log.warning("upstream.attempt_failed", reason=str(error.failure), kind=error.kind)
        outcome = transport_error(error.failure, self.config, proven=self.proven)
        if not isinstance(outcome, StoreUnavailable):
            return _Verdict(outcome, None)
        return _Verdict(outcome, 0.0 if error.reused else _BACKOFF)

    def _judge(
        self,
        response: UpstreamResponse,
        is_api_answer: Callable[[UpstreamResponse], bool] | None,
        *,
        waits: bool,
    ) -> _Verdict:
        status = response.status
        pause = pause_asked_for(response, self._clock.now())
        if pause is not None:
            self._log.warning("upstream.rate_limited", pause_seconds=pause, status=status)
            # A slot keeps the pause by itself, as it holds for all requests.
            return _Verdict(rate_limited(pause, self.config), 0.0 if waits else pause)
        if status >= SERVER_ERRORS:
            self._log.warning("upstream.attempt_failed", status=status)
            return _Verdict(response, _BACKOFF)
        if is_api_answer is None or is_api_answer(response):
            self.proven |= is_api_answer is not None
            return _Verdict(response, None)
        self._log.warning("upstream.foreign_answer", status=status)
        error = foreign_answer(self.config, proven=self.proven)
        return _Verdict(error, _BACKOFF if isinstance(error, StoreUnavailable) else None)

    async def _attempt(self, request: UpstreamRequest, lane: Lane, slot: Slot) -> UpstreamResponse:
        """Send one request once; raises TransportError, or what entering the slot raises."""
        connection = self._reads if lane is Lane.READ else nullcontext()
        async with slot() as grant, connection:
            began = self._clock.monotonic()
            status: int | None = None
            try:
                response = self.adapt(await self._engine.send(request))
                status = response.status
            except TransportError as error:
                if error.reused and error.failure is Failure.TIMED_OUT:
                    # In a failover, connections end without a word: the others are dead as well.
                    self._engine.drop_idle()
                if grant is not None:
                    grant.failed(error)
                self.on_outcome(error)
                raise
            finally:
                self.statistics.ended(lane, status, self._clock.monotonic() - began)
            if grant is not None:
                grant.answered(response)
            self.on_outcome(response)
        return response
