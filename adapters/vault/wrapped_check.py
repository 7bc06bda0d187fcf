"""The check ahead of a start with a wrapped secret_id, which the start has to find unopened."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.upstream.store_check import UpstreamCheck
from adapters.vault import reasons

if TYPE_CHECKING:
    from adapters.vault.wrapped_secret_id import WrappedSecretId
    from ports.clock import Clock

PROVES: Final = (
    "Vault answers, and the wrapping token can be opened. The login was not tried, since the token "
    "can be opened once only"
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
