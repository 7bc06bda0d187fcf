"""Single flight: one call to the store for each key, shared by all requests that wait for it."""

from __future__ import annotations

import asyncio
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from adapters.cache.failures import CLOSED
from domain.model.opaque import stateful

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from adapters.cache.fair_admission import Ticket
    from adapters.cache.key import CacheKey
    from domain.model.errors import SecretsError
    from domain.model.reference import SecretQuery
    from domain.model.secret import Secret
    from domain.model.selection import Selection

_ENOUGH = 0.9
"""The part of the usual time with which a request may lend the call its own deadline."""

_log = structlog.get_logger()


def with_time_for_others(query: SecretQuery, now: float, usual_seconds: float) -> SecretQuery:
    """Return the query as the store gets it: with a request's usual time, or all but a tenth of it.

    Others may join who have more time left than the request that happened to come first.
    """
    if query.deadline - now < _ENOUGH * usual_seconds:
        return query._replace(deadline=now + usual_seconds)
    return query


@stateful
class InFlightCall:
    """One call to the store.

    Attributes:
        started: monotonic seconds.
        background: no request has waited for it yet.
        task: ends with the answer or the failure; raises only what was not foreseen.
        tickets: of the requests that wait for it now.
    """

    started: float
    background: bool
    task: asyncio.Task[Secret | SecretsError] = field(init=False)
    tickets: set[Ticket] = field(default_factory=set)

    async def wait(self, ticket: Ticket) -> bool:
        """Wait until the call has ended or the ticket is revoked.

        Neither that nor a cancellation of the waiting request touches the call. Returns whether the
        call has ended.
        """
        if self.task.done() or ticket.revoked:
            return self.task.done()
        woken = ticket.woken = asyncio.get_running_loop().create_future()
        self.tickets.add(ticket)
        try:
            await woken
        finally:
            self.tickets.discard(ticket)
        return self.task.done()

    def outcome(self) -> Secret | SecretsError:
        """Return what the call ended with; it must have ended."""
        return CLOSED if self.task.cancelled() else self.task.result()


class SingleFlight:
    """The calls in flight, for one event loop."""

    def __init__(self) -> None:
        self._current: dict[CacheKey, InFlightCall] = {}
        self._tasks: set[asyncio.Task[Secret | SecretsError]] = set()

    def get(self, key: CacheKey) -> InFlightCall | None:
        """Return the call that a request for this key may join."""
        return self._current.get(key)

    def start(
        self,
        key: CacheKey,
        call: InFlightCall,
        run: Callable[[InFlightCall], Coroutine[Any, Any, Secret | SecretsError]],
    ) -> None:
        """Begin a call that further requests for this key join."""
        self._current[key] = call
        call.task = asyncio.create_task(run(call), name="cache-fetch")
        self._tasks.add(call.task)
        call.task.add_done_callback(partial(self._ended, key, call))

    def finish(self, key: CacheKey, call: InFlightCall) -> bool:
        """Let no request join any more; say whether the call still speaks for its key."""
        if self._current.get(key) is not call:
            return False
        del self._current[key]
        return True

    def detach(self, selection: Selection) -> int:
        """Let selected calls go on for the requests that wait already, and for no other."""
        keys = [key for key in self._current if selection.matches(key[0])]
        for key in keys:
            del self._current[key]
        return len(keys)

    async def aclose(self) -> None:
        """End all calls."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(
        self, key: CacheKey, call: InFlightCall, task: asyncio.Task[Secret | SecretsError]
    ) -> None:
        self._tasks.discard(task)
        self.finish(key, call)
        for ticket in call.tickets:
            ticket.wake()
        # Asking for the exception also keeps asyncio from reporting it with its text.
        if not task.cancelled() and (crash := task.exception()) is not None:
            _log.error("cache.fetch_crashed", error_type=type(crash).__name__)
