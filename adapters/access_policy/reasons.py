"""What each decision's reason code means for the person who reads it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OBSERVED = "observed_"

_PAIRS = (
    ("granted", "a grant allows it"),
    (
        "issuer_not_trusted",
        "the account that signed the token is not under issuers; add it if it is a known team's",
    ),
    (
        "subject_revoked",
        "the entity's key is under revoked.subjects; sign the artifact with a new module key",
    ),
    ("token_revoked", "the token's id is under revoked.token_ids; sign the artifact again"),
    (
        "denied_by_rule",
        "a denial covers it, and denials win; change that denial, or ask for another secret",
    ),
    ("no_grants", "the file grants nothing; add a grant"),
    ("nothing_listed", "a list in the nearest grant is empty; fill it"),
    ("entity_issuer_differs", "no grant names this issuer; add the entity to one"),
    ("entity_subject_differs", "the entity's key is not among those listed; add it"),
    ("entity_kind_differs", "only components are listed, or only providers; add the other kind"),
    ("entity_name_differs", "the token's name matches none listed, or it has none; add a pattern"),
    (
        "entity_tag_missing",
        "none of the token's tags matches one listed; sign it with the tag, or list one",
    ),
    (
        "entity_revision_too_old",
        "the token's revision is below min_rev, or it has none; deploy the newer artifact",
    ),
    (
        "entity_hash_differs",
        "the token's hash is not pinned; deploy a pinned artifact, or pin this one",
    ),
    ("entity_token_too_old", "the token is older than max_token_age; sign the artifact again"),
    ("workload_not_named", "no grant names workloads; add the workload to one, under workloads"),
    (
        "workload_environment_differs",
        "the environment that the relay or agent serves is not among those listed; add it",
    ),
    ("workload_namespace_differs", "the workload's namespace is not among those listed; add it"),
    ("workload_name_differs", "the workload's name is not among those listed; add it"),
    (
        "workload_needs_policy_file",
        "workloads are let through by a policy file alone; set ACCESS_POLICY_FILE",
    ),
    (
        "account_differs",
        "it came from another NATS account, or the server named none; list it, or share the import",
    ),
    (
        "user_differs",
        "it came from another NATS user, or the server named none; list it, or share the import",
    ),
    ("application_differs", "the application (a hint) is not among those listed; add it"),
    ("host_differs", "the host (a hint) is not among those listed; add it"),
    ("backend_not_granted", "this backend's name is not among those listed; add it"),
    (
        "key_not_granted",
        "no listed key matches, or the request names no place; compare `path` in the audit record",
    ),
    (
        "field_not_granted",
        "the field is not listed; without one a request asks for the whole value",
    ),
    ("version_not_granted", "the version is not listed; without one a request asks for the latest"),
    (
        "property_not_granted",
        "a property, or its value, is not listed; compare `properties` and `scope_…` in the record",
    ),
    (
        "requester_unknown",
        "NATS did not say who asked; import with `share: true` from another account",
    ),
    (
        "policy_not_loaded",
        "no policy file has been read yet; look for `access_policy.refused` in the log",
    ),
)

ADVICE: Mapping[str, str] = MappingProxyType(dict(_PAIRS))
"""By reason code. With `observed_` before it, a code tells what would have been refused."""


def advice_on(reason: str) -> str:
    """Return the advice for a reason code, whether enforced or only observed."""
    return ADVICE.get(reason.removeprefix(OBSERVED), "see docs/access-policy.md")
