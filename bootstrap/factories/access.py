"""The rules in force: where they come from, and how strictly they are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.access_parts import AccessParts
from domain.model.access import AccessPolicy, AnyValidEntity, TrustedIssuers
from domain.model.access_modes import ObservedPolicy, RequesterRequired
from domain.model.identity import AccountKey

if TYPE_CHECKING:
    from bootstrap.settings import Settings
    from ports.clock import Clock


def access_parts(settings: Settings, clock: Clock) -> AccessParts:
    """Choose the rules: those of the policy file, or trusted issuers if any are named."""
    file = None
    policy: AccessPolicy
    if settings.access_policy_file is not None:
        from adapters.access_policy.file import AccessPolicyFile  # noqa: PLC0415  only with a file

        policy = file = AccessPolicyFile(settings.access_policy_file, clock)
    elif settings.trusted_issuers:
        policy = TrustedIssuers(frozenset(AccountKey(key) for key in settings.trusted_issuers))
    else:
        policy = AnyValidEntity()
    if settings.nats_requester_required:
        policy = RequesterRequired(policy)
    # Outermost: whoever only observes refuses nobody, for whatever reason.
    if settings.observes_only:
        policy = ObservedPolicy(policy)
    return AccessParts(policy, file)
