"""The checks at start and behind probes: do address, login, mount and rights hold?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

import structlog
from typing_extensions import override

from adapters.upstream.store_check import UpstreamCheck
from adapters.vault import reasons
from adapters.vault.token_makers import RENEWAL_POLICY
from adapters.vault.wire import OK
from domain.model.errors import SecretNotFound, SecretsError, Unauthorized
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.reference import SecretLocation, SecretQuery
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError

if TYPE_CHECKING:
    from adapters.vault.addressing import Addressing, Place
    from adapters.vault.api import VaultApi
    from adapters.vault.wrapped_secret_id import WrappedSecretId
    from ports.clock import Clock


PROBE_NAME: Final = "wasmcloud-secrets-probe-that-is-never-stored"
"""Asked for in the hope of "no such secret": the one answer that proves everything around it, and
needs no more rights than reading secrets does."""

_CLAIMS: Final = Claims(
    kind=IdentityKind.COMPONENT,
    subject=SubjectKey("WASMCLOUD-SECRETS-CHECK"),
    issuer=AccountKey("WASMCLOUD-SECRETS-CHECK"),
    token_id="check",  # noqa: S106  no token
    issued_at=0,
)
CHECK_CALLER: Final = Caller(entity=_CLAIMS, host=replace(_CLAIMS, kind=IdentityKind.HOST))
"""Logs in where callers do; no key reads so, so that no policy for a component covers it."""

# A wrong address, a refused login and a refused token are not among them: they heal when an
# operator acts elsewhere, and a process that ends and is started again tries to log in each
# time, which locks the login for all replicas.
_MISCONFIGURED: Final = frozenset(
    {
        reasons.CLOCK_SKEW,
        reasons.LOGIN_MOUNT_NOT_FOUND,
        reasons.MOUNT_NOT_FOUND,
        reasons.MOUNT_NOT_KV,
        reasons.NAMESPACE_NOT_FOUND,
        reasons.ROLE_NOT_FOUND,
        reasons.SIGNING_KEY_UNKNOWN,
        reasons.TOKEN_DAMAGED,
        reasons.WRAPPING_PATH_WRONG,
        reasons.WRAPPING_TOKEN_SPENT,
        "vault_certificate_refused",
        "vault_certificate_untrusted",
    }
)

PROVES: Final = (
    "Vault answers, and the wrapping token can be opened. The login was not tried, since the token "
    "can be opened once only"
)
_log = structlog.get_logger()


class VaultCheck(UpstreamCheck):
    """Reads a secret that does not exist where the configuration points."""

    misconfigured: ClassVar[frozenset[str]] = _MISCONFIGURED

    def __init__(
        self,
        addressing: Addressing,
        api: VaultApi,
        clock: Clock,
        *,
        address: str,
        callers: bool,
        publishes_keys: bool = False,
    ) -> None:
        """Prepare the check. `publishes_keys`: whether Vault may fetch the keys that sign
        callers' logins from here.
        """
        super().__init__(f"Vault at {address}", "VAULT_ADDR", clock)
        self._place = addressing.default
        self._location = SecretLocation(
            path="/" + "/".join((*addressing.bounds.base, PROBE_NAME)),
            scope=addressing.default.scope(),
        )
        self._api = api
        self._callers = callers
        self._publishes_keys = publishes_keys

    @override
    async def verdict(self, deadline: float) -> Exception | None:
        query = SecretQuery(self._location, None, CHECK_CALLER, deadline)
        _, answer = await self._api.read(query)
        if answer.status == OK:
            return None
        error = self._api.error_for(answer)
        is_denied = isinstance(error, Unauthorized) and error.reason == reasons.READ_DENIED
        if is_denied and await self._api.sees_mount(query):
            self._warn(error)
            return None
        return self.failure(error)

    @override
    def failure(self, error: SecretsError) -> Exception | None:
        if isinstance(error, SecretNotFound):
            return None
        if error.reason == reasons.SIGNING_KEY_UNKNOWN and self._publishes_keys:
            # Only while this process runs can Vault be told where to fetch its keys, or fetch them.
            return StoreUnreachableError(error.advice)
        if isinstance(error, Unauthorized):
            if self._callers:
                self._warn(error)
                return None
            return StoreMisconfiguredError(
                f'Vault lets this login read nothing in the mount "{self._place.mount}", or there '
                f"is no such mount. Give its policy the right to read:\n{policy(self._place)}"
            )
        return super().failure(error)

    def _warn(self, error: SecretsError) -> None:
        # Rights may well be limited to folders below, or to components that exist.
        _log.warning(
            "vault.check_inconclusive",
            reason=error.reason,
            advice="The login may read something in the mount, but not the configured folder; "
            "that is well if its rights are limited to folders below.",
            policy=policy(self._place),
        )


def policy(place: Place) -> str:
    """Return the policy that a login needs to read everything in a mount, in Vault's language."""
    return (
        f'path "{place.mount}/data/*" {{ capabilities = ["read"] }}\n'
        "# for an engine of version 1 instead:\n"
        f'# path "{place.mount}/*" {{ capabilities = ["read"] }}\n'
        "# where the token has no default policy, so that it can be renewed:\n"
        f"# {RENEWAL_POLICY}"
    )


class WrappedCheck(UpstreamCheck):
    """Looks at the wrapping token, and opens nothing."""

    misconfigured: ClassVar[frozenset[str]] = frozenset(
        {
            reasons.CREDENTIALS_UNREADABLE,
            reasons.WRAPPING_PATH_WRONG,
            reasons.WRAPPING_TOKEN_SPENT,
            "vault_certificate_refused",
            "vault_certificate_untrusted",
        }
    )

    def __init__(self, secret_id: WrappedSecretId, clock: Clock, *, address: str) -> None:
        """Take what holds the wrapping token, and the server's address for advice."""
        super().__init__(f"Vault at {address}", "VAULT_ADDR", clock)
        self._secret_id = secret_id

    @override
    async def verdict(self, deadline: float) -> Exception | None:
        await self._secret_id.look()
        return None
