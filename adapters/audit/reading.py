"""What the readers of audit trails have in common."""

from __future__ import annotations

POLL_SECONDS = 0.25
"""How often a reader that follows looks for more."""


class AuditReadError(Exception):
    """The trail cannot be read; the text says what to check."""
