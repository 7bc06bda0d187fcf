"""How requests come in and how a host sends them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from domain.model.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from domain.model.transport import Request


class RequestHandler(Protocol):
    """The core, as a transport sees it."""

    @abstractmethod
    def begin(self, request: Request) -> Reply | Coroutine[Any, Any, Reply]:
        """Answer one request if nothing has to be waited for; else return what to await.

        What is returned must be awaited, once. Neither it nor this raises anything but a
        cancellation from outside.
        """

    async def handle(self, request: Request) -> Reply:
        """Answer one request, however long it takes."""
        begun = self.begin(request)
        return begun if isinstance(begun, Reply) else await begun

    @abstractmethod
    def refuse(self, request: Request, reason: str) -> Reply:
        """Answer at once that the service cannot take this request now. `reason`: "overloaded",
        "reply_not_carried" or "stopping".
        """


class Transport(Protocol):
    """Takes requests in and carries each one's reply back."""

    @abstractmethod
    async def start(self, handler: RequestHandler) -> None:
        """Begin taking requests; each runs concurrently and gets exactly one reply.

        Beyond its bound of requests in flight, and while stopping, it answers with
        `handler.refuse`.
        """

    @abstractmethod
    async def stop(self, grace_seconds: float) -> None:
        """Take no more requests, answer those taken, and return.

        Those still running after the grace period are cancelled and refused as "stopping".
        Calling it again does nothing.
        """


class ChannelError(Exception):
    """The request got no reply: no service listens, time ran out, or the connection is gone.

    `reason` is "no_responders", "timeout" or "disconnected"; the text says what to check.
    """

    def __init__(self, advice: str, *, reason: str) -> None:
        super().__init__(advice)
        self.reason = reason


class Channel(Protocol):
    """The host's end: sends one request and waits for its reply."""

    @abstractmethod
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        """Send and wait.

        Raises:
            ChannelError: no reply came.
        """
