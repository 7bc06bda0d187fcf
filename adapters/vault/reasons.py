"""Why a call to Vault ended as it did: constants for the log and the audit trail."""

from typing import Final

ANSWER_LEASED: Final = "answer_leased"
ANSWER_UNREADABLE: Final = "answer_unreadable"
ANSWER_WRAPPED: Final = "answer_wrapped"
CALLER_REFUSED: Final = "caller_login_refused"
CLOCK_SKEW: Final = "clocks_differ"
CREDENTIALS_UNREADABLE: Final = "credentials_unreadable"
FAILING: Final = "store_failing"
INLINE_FAILING: Final = "inline_login_failing"
KEY_REFUSED: Final = "key_characters"
LOGIN_LOCKED: Final = "login_locked"
LOGIN_MOUNT_NOT_FOUND: Final = "login_mount_not_found"
LOGIN_REFUSED: Final = "login_refused"
LOGIN_UNDECIDED: Final = "login_undecided"
MOUNT_NOT_FOUND: Final = "mount_not_found"
MOUNT_NOT_KV: Final = "mount_not_kv"
NAMESPACE_LOCKED: Final = "namespace_locked"
NAMESPACE_NOT_FOUND: Final = "namespace_not_found"
NO_ACTIVE_NODE: Final = "no_active_node"
READ_DENIED: Final = "read_denied"
REQUEST_REFUSED: Final = "request_refused"
ROLE_NOT_FOUND: Final = "role_not_found"
SEALED: Final = "store_sealed"
SIGNING_KEY_UNKNOWN: Final = "signing_key_unknown"
TOKEN_DAMAGED: Final = "token_damaged"  # noqa: S105  a reason, no token
TOKEN_REFUSED: Final = "token_refused"  # noqa: S105  a reason, no token
UPGRADING: Final = "mount_upgrading"
VERSION_DELETED: Final = "version_deleted"
VERSION_DESTROYED: Final = "version_destroyed"
VERSION_NOT_FOUND: Final = "version_not_found"
WRAPPING_TOKEN_SPENT: Final = "wrapping_token_spent"  # noqa: S105  a reason, no token
WRAPPING_PATH_WRONG: Final = "wrapping_path_wrong"
WRONG_ADDRESS: Final = "vault_wrong_address"

NUMBERS_INEXACT: Final = "numbers_may_be_inexact"
"""`Secret.note`: the server keeps numbers as 64-bit floats, and one of these may have changed."""
