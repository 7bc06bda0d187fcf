"""Fair admission: how many requests wait for the store, and no folder at the cost of others."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field
from typing import TYPE_CHECKING, Final

from domain.model.errors import StoreBusy
from domain.model.opaque import stateful
from domain.model.wording import seconds_in_words

if TYPE_CHECKING:
    import asyncio

    from domain.model.reference import Folder

TOO_MANY_WAITING: Final = "too_many_waiting"
"""`reason` of the errors of requests that may not wait."""


@stateful
class Ticket:
    """Lets one request wait.

    Attributes:
        queue: the waiting requests of the same folder.
        deadline: when the request gives up, in monotonic seconds.
        woken: what the request waits on, while it waits.
        revoked: a request of another folder waits in its place.
    """

    queue: TenantQueue
    deadline: float
    woken: asyncio.Future[None] | None = None
    revoked: bool = False

    def wake(self) -> None:
        """Wake the request, which then looks for itself what has happened."""
        if self.woken is not None and not self.woken.done():
            self.woken.set_result(None)


@stateful
class TenantQueue:
    """The waiting requests of one folder, in order of arrival."""

    folder: Folder
    tickets: OrderedDict[Ticket, None] = field(default_factory=OrderedDict)


class FairAdmission:
    """Bounds how many requests wait, for one event loop; each step takes the same short time.

    While there is room every request may wait. Once `limit` requests wait, a request is admitted
    only by revoking a ticket of the folder with the most waiting requests, if that folder has at
    least two more than the request's own; the last arrival there is revoked. So, at any time:

    - no more than `limit` wait;
    - a request is refused only if no folder has two more waiting than its own. Where k folders
      compete, each of them gets at least `limit // k` tickets;
    - a folder without a waiting request gets a ticket, however many others hang, unless `limit`
      folders wait already, with one request each.

    Attributes:
        limit: how many may wait.
        waiting: how many wait.
    """

    def __init__(self, limit: int) -> None:
        """Admit that many, from 1 up."""
        self.limit = limit
        self.waiting = 0
        self._queues: dict[Folder, TenantQueue] = {}
        self._by_length: dict[int, OrderedDict[TenantQueue, None]] = {}
        self._longest = 0

    def enter(self, folder: Folder, deadline: float) -> Ticket | None:
        """Return a ticket for a request, or None where it may not wait.

        Args:
            folder: where its secret is.
            deadline: when it will have left at the latest, in monotonic seconds.
        """
        queue = self._queues.get(folder)
        if self.waiting >= self.limit:
            if self._longest <= (0 if queue is None else len(queue.tickets)) + 1:
                return None
            self._revoke()
        if queue is None:
            queue = self._queues[folder] = TenantQueue(folder)
        ticket = Ticket(queue, deadline)
        queue.tickets[ticket] = None
        self.waiting += 1
        self._resized(queue, len(queue.tickets) - 1)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Take a ticket back; one that was revoked is back already."""
        queue = ticket.queue
        if ticket not in queue.tickets:
            return
        del queue.tickets[ticket]
        self.waiting -= 1
        self._resized(queue, len(queue.tickets) + 1)
        if not queue.tickets:
            del self._queues[queue.folder]

    def refusal(self, folder: Folder, now: float) -> StoreBusy:
        """Return why a request may not wait, and when to try again.

        By then the first request that waits in its folder has left, or where none does, the first
        of a folder that has the most.
        """
        queue = self._queues.get(folder) or next(iter(self._by_length.get(self._longest, ())), None)
        # A revoked request looks a moment later, when all others may have left.
        seconds = 0.0 if queue is None else max(0.0, next(iter(queue.tickets)).deadline - now)
        return StoreBusy(
            "Too many requests wait for the secret store, and no more of this folder may; check "
            f"that it is up, and start the component again in {seconds_in_words(seconds)}.",
            reason=TOO_MANY_WAITING,
            retry_after=seconds,
        )

    def _revoke(self) -> None:
        queue = next(iter(self._by_length[self._longest]))
        ticket = next(reversed(queue.tickets))
        self.leave(ticket)
        ticket.revoked = True
        ticket.wake()

    def _resized(self, queue: TenantQueue, before: int) -> None:
        """Note that a queue has one more, or one less, than before."""
        after = len(queue.tickets)
        if before:
            equals = self._by_length[before]
            del equals[queue]
            if not equals:
                del self._by_length[before]
        if after:
            self._by_length.setdefault(after, OrderedDict())[queue] = None
        # The longest queue that lost one still has as many as any other.
        if after > self._longest or (before == self._longest and before not in self._by_length):
            self._longest = after
