"""The `reason` codes of this adapter's errors, for the audit trail and for the check at start."""

from __future__ import annotations

from typing import Final

UNREACHABLE: Final = "kubernetes_unreachable"
FAILING: Final = "kubernetes_failing"
RATE_LIMITED: Final = "kubernetes_rate_limited"
TOKEN_UNREADABLE: Final = "kubernetes_token_unreadable"  # noqa: S105  a reason code
CREDENTIALS_REFUSED: Final = "kubernetes_credentials_refused"
READ_DENIED: Final = "kubernetes_read_denied"
IMPERSONATION_DENIED: Final = "kubernetes_impersonation_denied"
WRONG_ADDRESS: Final = "kubernetes_wrong_address"
REQUEST_REFUSED: Final = "kubernetes_request_refused"
ANSWER_UNREADABLE: Final = "kubernetes_answer_unreadable"
KEY_NOT_FOUND: Final = "kubernetes_key_not_found"
VERSION_NOT_FOUND: Final = "kubernetes_version_not_found"
VALUE_NOT_TEXT: Final = "kubernetes_value_not_text"
VALUES_NOT_TEXT: Final = "kubernetes_values_not_text"
