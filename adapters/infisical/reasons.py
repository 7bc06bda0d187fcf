"""The `reason` codes of this adapter's errors, for the audit trail and for the check at start."""

from __future__ import annotations

from typing import Final

LOGIN_REFUSED: Final = "infisical_login_refused"
LOGIN_LOCKED: Final = "infisical_login_locked"
CREDENTIALS_UNREADABLE: Final = "infisical_credentials_unreadable"
TOKEN_REFUSED: Final = "infisical_token_refused"  # noqa: S105  a reason code
WRONG_ADDRESS: Final = "infisical_wrong_address"
CERTIFICATE_UNTRUSTED: Final = "infisical_certificate_untrusted"
PROJECT_NOT_FOUND: Final = "infisical_project_not_found"
FOLDER_NOT_FOUND: Final = "infisical_folder_not_found"
ADDRESS_REFUSED: Final = "infisical_address_refused"
FOLDER_NAME_INVALID: Final = "infisical_folder_name_invalid"
PROJECT_TYPE: Final = "infisical_project_type"
WRONG_ORGANIZATION: Final = "infisical_wrong_organization"
NOT_A_MEMBER: Final = "infisical_not_a_member"
READ_DENIED: Final = "infisical_read_denied"
VALUE_HIDDEN: Final = "infisical_value_hidden"
RATE_LIMITED: Final = "infisical_rate_limited"
BUSY: Final = "infisical_busy"
UNREACHABLE: Final = "infisical_unreachable"
TIMED_OUT: Final = "infisical_timed_out"
NOT_ANSWERING: Final = "infisical_not_answering"
FAILING: Final = "infisical_failing"
REQUEST_REFUSED: Final = "infisical_request_refused"
ANSWER_UNREADABLE: Final = "infisical_answer_unreadable"
ANSWER_TOO_LARGE: Final = "infisical_answer_too_large"
REFERENCE_UNRESOLVED: Final = "infisical_reference_unresolved"
ENCODING_BROKEN: Final = "infisical_encoding_broken"
VERSION_NOT_FOUND: Final = "infisical_version_not_found"
CLOSED: Final = "infisical_closed"
