"""Work that requests share: one at a time for each key, with one outcome for all that wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

from adapters.upstream.background import report_crash
from domain.model.errors import SecretsError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

ResultT = TypeVar("ResultT")


def _nothing() -> None:
    """Most work is waited for by requests alone."""


@final
class SharedWork(Generic[ResultT]):
    """Runs work that belongs to no request: it goes on when the request that began it is cancelled.

    Args:
        name: of the tasks.
        ended: called after each one, failed ones too.
    """

    def __init__(self, name: str, ended: Callable[[], None] = _nothing) -> None:
        self._name = name
        self._ended = ended
        self._running: dict[Hashable, asyncio.Task[ResultT | SecretsError]] = {}

    def start(
        self, work: Callable[[], Coroutine[Any, Any, ResultT]], key: Hashable = None
    ) -> asyncio.Task[ResultT | SecretsError]:
        """Begin the work for a key, unless it runs already; the task raises no SecretsError."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(_outcome_of(work()), name=self._name)
            self._running[key] = task
            task.add_done_callback(lambda task: self._finished(key, task))
        return task

    async def outcome(
        self, work: Callable[[], Coroutine[Any, Any, ResultT]], key: Hashable = None
    ) -> ResultT:
        """Return what the work for a key comes to, beginning it unless it runs already.

        Raises:
            SecretsError: what the work raised, as an error of this request's own.
            StoreUnavailable: the work was ended by `aclose`.
        """
        task = self.start(work, key)
        await asyncio.wait({task})
        if task.cancelled():
            raise StoreUnavailable(
                "This backend is shutting down; start the component again, another replica will "
                "answer.",
                reason="closed",
            )
        outcome = task.result()
        if isinstance(outcome, SecretsError):
            raise outcome.again()
        return outcome

    def cancel(self) -> None:
        """Cancel what is running."""
        for task in self._running.values():
            task.cancel()

    async def aclose(self) -> None:
        """Cancel what is running, and wait for its end."""
        self.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _finished(self, key: Hashable, task: asyncio.Task[ResultT | SecretsError]) -> None:
        del self._running[key]
        report_crash(task)
        self._ended()


async def _outcome_of(work: Coroutine[Any, Any, ResultT]) -> ResultT | SecretsError:
    try:
        return await work
    except SecretsError as error:
        return error.again()
