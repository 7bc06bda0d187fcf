"""The log keeps the contract of audit trails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.telemetry.audit_log import AuditLog
from tests.contracts.audit import AuditOutputContract

if TYPE_CHECKING:
    from tests.unit.adapters.telemetry.conftest import LogText


class TestAuditLog(AuditOutputContract):
    @pytest.fixture(autouse=True)
    def _make(self, log_text: LogText) -> None:
        self._text = log_text
        self._trail = AuditLog()

    @override
    def trail(self) -> AuditLog:
        return self._trail

    @override
    async def start(self) -> None:
        await self._trail.start()

    @override
    async def close(self) -> None:
        await self._trail.aclose()

    @override
    async def raw(self) -> bytes:
        return self._text.getvalue().encode()
