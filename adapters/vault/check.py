"""The check at start and behind probes: do address, login, mount and rights hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from typing_extensions import override

from adapters.vault import reasons
from adapters.vault.answer import OK
from adapters.vault.token_makers import RENEWAL_POLICY
from domain.model.errors import RateLimited, SecretNotFound, SecretsError, Unauthorized
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.reference import SecretLocation, SecretQuery
from ports.store_check import (
    StoreCheck,
    StoreLimitedError,
    StoreMisconfiguredError,
    StoreUnreachableError,
)

if TYPE_CHECKING:
    from adapters.vault.addressing import Addressing, Place
    from adapters.vault.api import VaultApi
    from ports.clock import Clock

CHECK_SECONDS: Final = 8.0
"""As long as a request has, unless it is configured otherwise."""

PROBE_NAME: Final = "wasmcloud-secrets-probe-that-is-never-stored"
"""Asked for in the hope of "no such secret": the one answer that proves everything around it, and
needs no more rights than reading secrets does."""

CHECK_CALLER: Final = Caller(
    entity=Claims(
        kind=IdentityKind.COMPONENT,
        subject=SubjectKey("WASMCLOUD-SECRETS-CHECK"),
        issuer=AccountKey("WASMCLOUD-SECRETS-CHECK"),
        token_id="check",  # noqa: S106  no token
        issued_at=0,
    ),
    host=Claims(
        kind=IdentityKind.HOST,
        subject=SubjectKey("WASMCLOUD-SECRETS-CHECK"),
        issuer=AccountKey("WASMCLOUD-SECRETS-CHECK"),
        token_id="check",  # noqa: S106  no token
        issued_at=0,
    ),
)
"""Logs in where callers do; no key reads so, so that no policy for a component covers it."""

_MISCONFIGURED: Final = frozenset(
    {
        reasons.CLOCK_SKEW,
        reasons.LOGIN_MOUNT_NOT_FOUND,
        reasons.LOGIN_REFUSED,
        reasons.MOUNT_NOT_FOUND,
        reasons.MOUNT_NOT_KV,
        reasons.NAMESPACE_NOT_FOUND,
        reasons.REDIRECTED,
        reasons.ROLE_NOT_FOUND,
        reasons.SIGNING_KEY_UNKNOWN,
        reasons.TOKEN_DAMAGED,
        reasons.TOKEN_REFUSED,
        reasons.WRAPPING_PATH_WRONG,
        reasons.WRAPPING_TOKEN_SPENT,
        reasons.WRONG_ADDRESS,
        "vault_certificate_untrusted",
    }
)
_log = structlog.get_logger()


class VaultCheck(StoreCheck):
    """Reads a secret that does not exist where the configuration points."""

    def __init__(
        self, addressing: Addressing, api: VaultApi, clock: Clock, *, address: str, callers: bool
    ) -> None:
        """Take what the store has, the server's address for advice, and whether callers log in."""
        self._place = addressing.default
        self._location = SecretLocation(
            path="/" + "/".join((*addressing.base, PROBE_NAME)), scope=addressing.default.scope()
        )
        self._api = api
        self._clock = clock
        self._address = address
        self._callers = callers

    @override
    async def check(self) -> None:
        deadline = self._clock.monotonic() + CHECK_SECONDS
        verdict: Exception | None = StoreUnreachableError(
            f"Vault at {self._address} did not answer within {CHECK_SECONDS:.0f} seconds; check "
            "its health and VAULT_ADDR."
        )
        try:
            async with self._clock.timeout_at(deadline):
                verdict = await self._verdict(
                    SecretQuery(self._location, None, CHECK_CALLER, deadline)
                )
        except TimeoutError:
            pass
        if verdict is not None:
            raise verdict

    async def _verdict(self, query: SecretQuery) -> Exception | None:
        error: SecretsError | None = None
        sees_mount = False
        try:
            _, answer = await self._api.read(query)
            if answer.status != OK:
                error = self._api.error_for(answer)
            if isinstance(error, Unauthorized) and error.reason == reasons.READ_DENIED:
                sees_mount = await self._api.sees_mount(query)
        except SecretsError as raised:
            error = raised
        return None if error is None else self._judge(error, sees_mount=sees_mount)

    def _judge(self, error: SecretsError, *, sees_mount: bool) -> Exception | None:
        if isinstance(error, SecretNotFound):
            return None
        if isinstance(error, Unauthorized):
            if sees_mount or self._callers:
                # Rights may well be limited to folders below, or to components that exist.
                _log.warning(
                    "vault.check_inconclusive", reason=error.reason, policy=policy(self._place)
                )
                return None
            return StoreMisconfiguredError(
                f'Vault lets this login read nothing in the mount "{self._place.mount}", or there '
                f"is no such mount. Give its policy the right to read:\n{policy(self._place)}"
            )
        if error.reason in _MISCONFIGURED:
            return StoreMisconfiguredError(error.advice)
        kind = StoreLimitedError if isinstance(error, RateLimited) else StoreUnreachableError
        return kind(f"Vault at {self._address}: {error.advice}")


def policy(place: Place) -> str:
    """Return the policy that a login needs to read everything in a mount, in Vault's language."""
    return (
        f'path "{place.mount}/data/*" {{ capabilities = ["read"] }}\n'
        "# for an engine of version 1 instead:\n"
        f'# path "{place.mount}/*" {{ capabilities = ["read"] }}\n'
        "# where the token has no default policy, so that it can be renewed:\n"
        f"# {RENEWAL_POLICY}"
    )
