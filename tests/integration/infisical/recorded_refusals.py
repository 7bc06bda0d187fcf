"""Refusals that a real server answered to reads, by the recording's name, and what each becomes."""

from __future__ import annotations

from adapters.infisical import reasons
from domain.model.errors import (
    CallFailed,
    InvalidRequest,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)

NOT_FOUND = (SecretNotFound, "secret_not_found")
NO_FOLDER = (SecretNotFound, reasons.FOLDER_NOT_FOUND)
OTHER_VERSION = (SecretNotFound, reasons.VERSION_IGNORED)
NO_VERSION = (InvalidRequest, "version_malformed")
NO_PROJECT = (UpstreamError, reasons.PROJECT_NOT_FOUND)
STRANGER = (Unauthorized, reasons.NOT_A_MEMBER)
DENIED = (Unauthorized, reasons.READ_DENIED)
UNRESOLVED = (UpstreamError, reasons.REFERENCE_UNRESOLVED)
TOKEN = (UpstreamError, reasons.TOKEN_REFUSED)
FAILING = (StoreUnavailable, reasons.FAILING)
LIMITED = (RateLimited, reasons.RATE_LIMITED)
REFUSED = (UpstreamError, reasons.REQUEST_REFUSED)
NO_ROUTE = (StoreUnavailable, reasons.NOT_ANSWERING)
ERRORS: dict[str, tuple[type[SecretsError], str]] = {
    "get_after_failed_renew": TOKEN,
    "get_after_rename_old_name": NOT_FOUND,
    "get_deleted_secret": NOT_FOUND,
    "get_empty_folder": NOT_FOUND,
    "get_environment_name_instead_of_slug": NO_FOLDER,
    "get_expired_token_jwt": TOKEN,
    "get_expired_token_ttl": TOKEN,
    "get_expired_token_ttl_second_try": TOKEN,
    "get_forbidden_no_access_role": DENIED,
    "get_forbidden_no_access_role_missing_secret": DENIED,
    "get_forbidden_no_membership": STRANGER,
    "get_forbidden_path_only": DENIED,
    "get_forbidden_path_only_missing_secret": DENIED,
    "get_identity_deleted": TOKEN,
    "get_imported_forbidden_source": NOT_FOUND,
    "get_membership_removed": STRANGER,
    "get_nested_folder_uppercase": NO_FOLDER,
    "get_not_found": NOT_FOUND,
    "get_ok_cycle_a": UNRESOLVED,
    "get_ok_missing_ref": UNRESOLVED,
    "get_ok_self_ref": UNRESOLVED,
    "get_old_project_v1": NO_PROJECT,
    "get_path_only_ref_outside": DENIED,
    "get_project_identity_not_member": STRANGER,
    "get_project_not_uuid": NO_PROJECT,
    "get_ref_to_empty_secret": UNRESOLVED,
    "get_ref_to_forbidden_place": DENIED,
    "get_tampered_token": TOKEN,
    "get_version_0": NO_VERSION,
    "get_version_1": OTHER_VERSION,
    "get_version_2": OTHER_VERSION,
    "get_version_empty": NO_VERSION,
    "get_version_missing": OTHER_VERSION,
    "get_version_not_number": NO_VERSION,
    "get_with_revoked_token": TOKEN,
    "get_wrong_case": NOT_FOUND,
    "get_wrong_environment": NO_FOLDER,
    "get_wrong_path": NO_FOLDER,
    "get_wrong_project": NO_PROJECT,
    "postgres_down_get": FAILING,
    "rate_limited_get_secret": LIMITED,
    "rate_limited_other_identity_same_ip": LIMITED,
    "redis_down_get_no_limiter": (CallFailed, reasons.FAILING),
    "uses_limit3_call_4": TOKEN,
    "uses_limit3_call_5": TOKEN,
}
NEVER_SENT: dict[str, tuple[type[SecretsError], str]] = {
    "get_basic_auth": TOKEN,
    "get_bool_param_invalid": REFUSED,
    "get_by_workspace_slug_wrong": FAILING,
    "get_duplicate_query_param": REFUSED,
    "get_empty_bearer": TOKEN,
    "get_empty_path": NO_FOLDER,
    "get_garbage_token": TOKEN,
    "get_if_none_match_hit": NO_ROUTE,
    "get_missing_environment": REFUSED,
    "get_missing_workspace": REFUSED,
    "get_name_101_chars": NO_ROUTE,
    "get_name_bad_percent_encoding": REFUSED,
    "get_name_percent_null": FAILING,
    "get_name_with_unescaped_slash": NO_ROUTE,
    "get_nested_folder_dotdot": FAILING,
    "get_nested_folder_double_slash": NO_FOLDER,
    "get_nested_folder_no_leading_slash": NO_FOLDER,
    "get_no_token": TOKEN,
    "get_path_glob": FAILING,
    "get_path_percent_null": FAILING,
    "get_type_invalid": REFUSED,
    "redis_down_get_no_token": TOKEN,
}
