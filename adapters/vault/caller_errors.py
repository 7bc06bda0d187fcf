"""What a refused login of a caller means to the core.

All refusals are 400, and only their words tell them apart (measured on OpenBao 2.6.2; the words are
a hint for the advice, and none is passed on):

| answer | error | reason |
|---|---|---|
| 400 "role … could not be found" | UpstreamError | role_not_found |
| 400 "… signature …", "could not load configuration" | UpstreamError | signing_key_unknown |
| 400 "… expired", "… not yet valid" | UpstreamError | clocks_differ |
| 400 "… audience …" | UpstreamError | login_refused |
| any other 400: claims, subject, issuer not bound | Unauthorized | caller_login_refused |
| 403: no such auth method, or another address | UpstreamError | login_mount_not_found |
| 404 "namespace not found" | UpstreamError | namespace_not_found |
| 500 "… internal error" to a read with a login | CallFailed | inline_login_failing |
| 307, 412, 5xx | StoreUnavailable | as for reads |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.vault import reasons
from adapters.vault.error_map import error_for, is_upgrading
from adapters.vault.wire import BAD_REQUEST, FORBIDDEN, SERVER_ERROR
from domain.model.errors import CallFailed, Unauthorized, UpstreamError

if TYPE_CHECKING:
    from adapters.vault.wire import Answer
    from domain.model.errors import SecretsError

_OPERATOR_S: Final = (
    (
        ("could not be found",),
        reasons.ROLE_NOT_FOUND,
        (
            "Vault does not know the role of the callers' login; check VAULT_ROLE, or the role "
            "that the policy chooses."
        ),
    ),
    (
        ("signature", "keys oidc", "could not load configuration"),
        reasons.SIGNING_KEY_UNKNOWN,
        (
            "Vault does not know the key that this backend signs logins with; give its auth method "
            "the JWKS address or the public keys, as docs/vault.md has it."
        ),
    ),
    (
        ("token is expired", "not yet valid"),
        reasons.CLOCK_SKEW,
        "The clocks of Vault and this backend differ by more than half a minute; set both by NTP.",
    ),
    (
        ("audience",),
        reasons.LOGIN_REFUSED,
        (
            "The role of the callers' login binds another audience; check its bound_audiences and "
            "VAULT_JWT_AUDIENCE."
        ),
    ),
)
"""What only an operator can correct: words that hint at it, the reason, and the advice."""


def caller_login_error(answer: Answer) -> SecretsError:
    """Return the error for an answer to a caller's login that is no success."""
    if answer.status == FORBIDDEN:
        return UpstreamError(
            "Vault has no auth method for the callers' login there, or takes no login from this "
            "address; check VAULT_LOGIN_MOUNT and the role's token_bound_cidrs.",
            reason=reasons.LOGIN_MOUNT_NOT_FOUND,
        )
    if answer.status != BAD_REQUEST or is_upgrading(answer) or not answer.is_api:
        return error_for(answer)
    words = answer.texts
    for hints, reason, advice in _OPERATOR_S:
        if any(hint in words for hint in hints):
            return UpstreamError(advice, reason=reason)
    return Unauthorized(
        "Vault does not let this component log in; let the role's bound claims cover it.",
        reason=reasons.CALLER_REFUSED,
    )


def inline_failing(answer: Answer) -> CallFailed | None:
    """Return the error for a read that carried a login of a role with limited uses.

    OpenBao answers such a read with 500 and no further word, as it does to other faults of its own;
    None for any other answer.
    """
    words = answer.texts
    is_so = words.startswith("1 error occurred") and "* internal error" in words
    if answer.status != SERVER_ERROR or not is_so:
        return None
    return CallFailed(
        "Vault fails at reads that carry the callers' login. It does so if the role limits the "
        "uses of its tokens: unset token_num_uses there. If it is not set, look at Vault's log.",
        reason=reasons.INLINE_FAILING,
    )
