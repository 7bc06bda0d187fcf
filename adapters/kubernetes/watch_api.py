"""What a watch needs of the API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from adapters.kubernetes.answer import Answer

JSON: Final = "application/json"


class Stream(Protocol):
    """The answer to a watch, while its context is open.

    Attributes:
        answer: status and, unless it is 200, what the server says about it.
        chunks: the pieces of the body as they come; ends only with the body's proper end.
    """

    answer: Answer
    chunks: AsyncIterator[bytes]


class WatchApi(Protocol):
    """What a watch needs of the API server."""

    def stream(
        self, path: str, query: Mapping[str, str], *, accept: str, idle_seconds: float
    ) -> AbstractAsyncContextManager[Stream]:
        """Open a GET whose body never needs to end.

        Raises:
            SecretsError: no connection, none in time, or one that breaks or falls silent.
        """

    async def get(self, path: str, query: Mapping[str, str], *, accept: str) -> Answer:
        """Send a GET and return its answer.

        Raises:
            SecretsError: there is no answer.
        """

    async def is_there(self) -> bool:
        """Send one small call, once, and say whether the API server answered."""
