"""An audit trail in memory that is opened and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from adapters.audit.sink import AuditSink
from tests.fakes.audit import FakeAuditTrail

if TYPE_CHECKING:
    from adapters.audit.sink import AuditSinkError


class FakeAuditSink(FakeAuditTrail, AuditSink):
    """Notes in `calls` when it is started, reopened and closed.

    Attributes:
        failure: raised by `start`, if set.
    """

    def __init__(self, calls: list[str] | None = None) -> None:
        super().__init__()
        self.calls = calls if calls is not None else []
        self.failure: AuditSinkError | None = None

    @override
    async def start(self) -> None:
        self.calls.append("audit started")
        if self.failure is not None:
            raise self.failure

    @override
    async def aclose(self) -> None:
        self.calls.append("audit closed")

    def reopen(self) -> None:
        """Note that the file would be reopened."""
        self.calls.append("audit reopened")
