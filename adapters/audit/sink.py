"""An audit trail that is opened before the first request and closed after the last."""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Protocol

from ports.audit import AuditTrail


class OnFull(StrEnum):
    """What happens to requests while a sink can keep no more events."""

    REFUSE = "refuse"
    """No secret leaves: `accepts` says no."""

    DROP = "drop"
    """Secrets leave; events are lost and counted."""


class AuditSink(AuditTrail, Protocol):
    """An audit trail with a beginning and an end."""

    @abstractmethod
    async def start(self) -> None:
        """Open it; events recorded before are kept as room allows.

        Raises:
            AuditSinkError: it cannot work as it is configured.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Write what is waiting, within the sink's grace period, and close; never raises."""


class AuditSinkError(Exception):
    """A sink cannot work as it is configured; the text says what to change."""
