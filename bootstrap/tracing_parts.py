"""What traces requests, as the service runs it; without an endpoint nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.audit import AuditTrail
    from ports.secret_store import SecretStore
    from ports.transport import RequestHandler

_Port = TypeVar("_Port")


def as_it_is(part: _Port) -> _Port:
    """Return a part undecorated."""
    return part


class Export(Protocol):
    """As `adapters.tracing.export.SpanExport` has it."""

    def start(self) -> None: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TracingParts:
    """What is put around three ports, and what carries the spans away.

    Without `export`, nothing is put around anything.
    """

    export: Export | None = None
    handler: Callable[[RequestHandler], RequestHandler] = as_it_is
    trail: Callable[[AuditTrail], AuditTrail] = as_it_is
    store: Callable[[SecretStore], SecretStore] = as_it_is

    def start(self) -> None:
        """Begin to carry spans away."""
        if self.export is not None:
            self.export.start()

    async def aclose(self) -> None:
        """Send the last spans, within a few seconds."""
        if self.export is not None:
            await self.export.aclose()
