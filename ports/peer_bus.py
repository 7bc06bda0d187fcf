"""Messages among the processes of one backend: its replicas and their workers."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Answers(Protocol):
    """What other processes answer to one question."""

    @abstractmethod
    async def gather(self, seconds: float) -> Sequence[bytes]:
        """Return what has come within that many seconds; at once if no process can answer."""


class PeerBus(Protocol):
    """Broadcasts to the processes of the same backend, at most once.

    A process that is away from the bus never hears what it missed, so a message may only shorten a
    wait or forget a value; correctness never depends on its arrival.

    A topic is one word of lower-case letters and "_", such as "login_refused". A payload has at
    most 4 KiB and holds no secret, since an operator may listen.
    """

    @abstractmethod
    def broadcast(self, topic: str, payload: bytes) -> None:
        """Send to all other processes; returns at once and never raises."""

    @abstractmethod
    async def subscribe(
        self, topic: str, received: Callable[[bytes], bytes | None], *, from_operators: bool = False
    ) -> None:
        """Have `received` called with each payload that another process sends on a topic.

        It must not block; what it returns is sent to a process that has asked, and what it raises
        is logged and goes no further. A subscription that is refused or lost is asked for again
        until the bus closes, so this never raises. A process subscribes to a topic once.

        Args:
            received: takes a payload, and may answer it.
            from_operators: whether the topic is for operators' commands. These hold no key, so that
                the transport's permissions alone say who may send; otherwise a message is taken
                only from a process that holds the server's xkey.
        """

    @abstractmethod
    async def ask(self, topic: str, payload: bytes) -> Answers:
        """Send to all processes, this one included; on return the message is on its way.

        Raises:
            ChannelError: it could not be sent.
        """

    @abstractmethod
    async def publish(self, event: str, payload: bytes) -> None:
        """Publish an event for operators, such as "changed"; on return it is on its way.

        Raises:
            ChannelError: it could not be sent.
        """
