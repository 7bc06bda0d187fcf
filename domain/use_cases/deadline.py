"""A deadline that costs nothing where nobody has to wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from ports.clock import Clock

_Result = TypeVar("_Result")


async def finish_by(deadline: float, clock: Clock, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run `work`, and set a timer once it waits for something.

    A timer is a tenth of what this service adds to the cryptography, and an answer out of memory
    needs none.

    Args:
        deadline: monotonic seconds.
        clock: whose timer it is.
        work: a coroutine that was not begun yet.

    Raises:
        TimeoutError: it was still waiting at the deadline, and has been cancelled.
    """
    try:
        awaited = work.send(None)
    except StopIteration as done:
        result: _Result = done.value
        return result
    async with clock.timeout_at(deadline):
        return await _Rest(work, awaited)


@dataclass(frozen=True, slots=True)
class _Rest(Generic[_Result]):
    """What is left of a coroutine that waits for `awaited`: `yield from`, begun in the middle."""

    work: Coroutine[Any, Any, _Result]
    awaited: Any

    def __await__(self) -> Generator[Any, Any, _Result]:
        awaited = self.awaited
        while True:
            try:
                yield awaited
            except GeneratorExit:
                self.work.close()
                raise
            except BaseException as error:  # noqa: BLE001  most of all a cancellation; it is passed on
                interruption: BaseException | None = error
            else:
                interruption = None
            try:
                if interruption is None:
                    awaited = self.work.send(None)
                else:
                    awaited = self.work.throw(interruption)
            except StopIteration as done:
                result: _Result = done.value
                return result
            finally:
                del interruption
