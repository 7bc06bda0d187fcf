"""Who waits, in which order: first come first served, but secret by secret in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator


class Waiter(Protocol):
    """Somebody in the queue."""

    @property
    def folder(self) -> Hashable:
        """The group of secrets that it asks in."""
        ...

    @property
    def secret(self) -> Hashable:
        """What it asks for; of those who ask for the same, one is served in each round."""
        ...


W = TypeVar("W", bound=Waiter)


class _Lane(Generic[W]):
    """Those who wait for one secret; `number` is its place in the round."""

    __slots__ = ("number", "waiters")

    def __init__(self, number: int) -> None:
        self.number = number
        self.waiters: deque[W] = deque()


class FairQueue(Generic[W]):
    """A round over the secrets waited for; one that was served goes to the round's end.

    So a thousand requests for one secret hold up another by one place, not by a thousand.
    """

    def __init__(self) -> None:
        # By folder, so that a folder which may not go on costs one look and not one for each lane.
        self._folders: dict[Hashable, OrderedDict[Hashable, _Lane[W]]] = {}
        self._numbers = 0
        self._waiting = 0
        self._lanes = 0

    def __len__(self) -> int:
        return self._waiting

    @property
    def shared(self) -> bool:
        """Whether several wait for one secret, so that a newcomer may come before another."""
        return self._waiting > self._lanes

    def push(self, waiter: W) -> None:
        """Let somebody wait."""
        lanes = self._folders.setdefault(waiter.folder, OrderedDict())
        lane = lanes.get(waiter.secret)
        if lane is None:
            self._numbers += 1
            self._lanes += 1
            lane = lanes[waiter.secret] = _Lane(self._numbers)
        lane.waiters.append(waiter)
        self._waiting += 1

    def pop(self, may_go: Callable[[Hashable], bool]) -> W | None:
        """Take out whoever is next among the folders that may go on, if anybody is."""
        heads = (
            (next(iter(lanes.values())).number, folder)
            for folder, lanes in self._folders.items()
            if may_go(folder)
        )
        first = min(heads, key=lambda head: head[0], default=None)
        if first is None:
            return None
        lanes = self._folders[first[1]]
        secret, lane = next(iter(lanes.items()))
        waiter = lane.waiters.popleft()
        self._waiting -= 1
        if lane.waiters:
            self._numbers += 1
            lane.number = self._numbers
            lanes.move_to_end(secret)
        else:
            self._drop_lane(waiter)
        return waiter

    def remove(self, waiter: W) -> bool:
        """Take somebody out who waits no more; say whether it was still in the queue."""
        lane = self._lane(waiter.folder, waiter.secret)
        if lane is None or waiter not in lane.waiters:
            return False
        lane.waiters.remove(waiter)
        self._waiting -= 1
        if not lane.waiters:
            self._drop_lane(waiter)
        return True

    def ahead(self, folder: Hashable, secret: Hashable) -> int:
        """Return how many would be served before a newcomer who asks for this secret."""
        own = self._lane(folder, secret)
        if own is None:
            return self._lanes
        depth = len(own.waiters)
        return sum(
            min(len(lane.waiters), depth + (lane.number < own.number or lane is own))
            for lanes in self._folders.values()
            for lane in lanes.values()
        )

    def in_order(self) -> Iterator[W]:
        """Yield everybody as they would be served if every folder may go on."""
        lanes = [lane for lanes in self._folders.values() for lane in lanes.values()]
        lanes.sort(key=lambda lane: lane.number)
        turns = [
            (depth, index) for index, ln in enumerate(lanes) for depth in range(len(ln.waiters))
        ]
        rounds = [list(lane.waiters) for lane in lanes]
        for depth, index in sorted(turns):
            yield rounds[index][depth]

    def by_folder(self) -> Iterator[tuple[Hashable, Iterator[tuple[int, int, W]]]]:
        """Yield each folder and those who wait in it: the round, the place in it, and who.

        They come in the order in which they would be served. Nobody may join or leave meanwhile.
        """
        for folder, lanes in self._folders.items():
            yield folder, self._rounds(list(lanes.values()))

    @staticmethod
    def _rounds(lanes: list[_Lane[W]]) -> Iterator[tuple[int, int, W]]:
        left = [(lane.number, iter(lane.waiters)) for lane in lanes]
        depth = 0
        while left:
            turns, left = left, []
            for number, waiters in turns:
                waiter = next(waiters, None)
                if waiter is not None:
                    yield depth, number, waiter
                    left.append((number, waiters))
            depth += 1

    def _lane(self, folder: Hashable, secret: Hashable) -> _Lane[W] | None:
        lanes = self._folders.get(folder)
        return None if lanes is None else lanes.get(secret)

    def _drop_lane(self, waiter: W) -> None:
        lanes = self._folders[waiter.folder]
        del lanes[waiter.secret]
        self._lanes -= 1
        if not lanes:
            del self._folders[waiter.folder]
