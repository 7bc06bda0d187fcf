"""One audit event as a line, for tests of whatever reads such lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.telemetry.audit_lines import AuditLines

if TYPE_CHECKING:
    from domain.model.audit import AuditEvent


def audit_line(event: AuditEvent) -> bytes:
    """Return the line, without a newline after it."""
    return AuditLines().line(event).encode("ascii")
