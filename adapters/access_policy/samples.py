"""The access policy's figures for metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ports.plugin import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.access_policy.file import PolicyStatus


def policy_samples(status: PolicyStatus) -> Iterator[Sample]:
    """Yield every figure of the policy file as it is now."""
    yield Sample(
        "access_policy_loaded",
        "1 once a policy file is in force, otherwise 0.",
        status.digest is not None,
    )
    yield Sample(
        "access_policy_refused",
        "1 while the policy file has a mistake and an older one, or none, is in force.",
        status.refusal is not None,
    )
    if status.loaded_at is not None:
        yield Sample(
            "access_policy_loaded_timestamp_seconds",
            "When the policy in force was loaded, in seconds since the epoch; absent before.",
            status.loaded_at,
        )
    yield Sample(
        "access_policy_issuers", "Issuers that the policy in force trusts.", status.issuers
    )
    yield Sample("access_policy_grants", "Grants of the policy in force.", status.grants)
    yield Sample("access_policy_denials", "Denials of the policy in force.", status.denials)
