"""The `reason` codes of calls to NATS that failed, for the audit trail and the check at start."""

from __future__ import annotations

from typing import Final

TIMED_OUT: Final = "timeout"
JETSTREAM_UNAVAILABLE: Final = "jetstream_unavailable"
JETSTREAM_DISABLED: Final = "jetstream_disabled"
JETSTREAM_REFUSED: Final = "jetstream_refused"
NATS_FAILED: Final = "nats_failed"
ANSWER_MALFORMED: Final = "answer_malformed"
MESSAGE_TOO_LONG: Final = "message_too_long"
