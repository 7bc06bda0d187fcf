"""What operators ask over HTTP, from the service's start to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from adapters.admin_http.checks import STORE, store_finding

if TYPE_CHECKING:
    from adapters.admin_http.readiness import Readiness


class Listener(Protocol):
    """As `adapters.admin_http.server.AdminHttp` has it."""

    async def start(self) -> object: ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class ServingState:
    """Whether requests are taken just now: neither still starting nor already stopping."""

    is_serving: bool = False


@dataclass(frozen=True, slots=True)
class AdminParts:
    """The pages and what they ask; without a listener nothing is opened."""

    serving: ServingState = field(default_factory=ServingState)
    listener: Listener | None = None
    readiness: Readiness | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            AdminHttpError: the address cannot be listened on.
        """
        if self.listener is not None:
            await self.listener.start()

    def store_checked(self, error: Exception | None) -> None:
        """Take what a check of the store came to, so that probes need none of their own soon.

        Args:
            error: what the check raised; None if the store answers.
        """
        if self.readiness is not None:
            self.readiness.note(STORE, store_finding(error))

    def begin_serving(self) -> None:
        """Say that requests are taken."""
        self.serving.is_serving = True

    async def end_serving(self) -> None:
        """Say that no more requests are taken, and end checks of what is about to be closed."""
        self.serving.is_serving = False
        if self.readiness is not None:
            await self.readiness.aclose()

    async def aclose(self) -> None:
        """Answer what is under way, then listen no more."""
        if self.listener is not None:
            await self.listener.aclose()
        if self.readiness is not None:
            await self.readiness.aclose()
