"""The record of who asked for what and what became of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent


class AuditTrail(Protocol):
    """Takes one event for every request, whatever its end."""

    @abstractmethod
    def accepts(self) -> bool:
        """Say whether one more event would be kept; where not, requests are refused unanswered."""

    @abstractmethod
    def record(self, event: AuditEvent) -> None:
        """Keep what the event says, and leave it as it is; returns at once and never raises."""
