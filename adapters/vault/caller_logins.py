"""Signs the callers' logins, each for a short time and used for several calls meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from adapters.vault.caller_jwt import partition, sign
from domain.model.recently_used import RecentlyUsed

if TYPE_CHECKING:
    from collections.abc import Hashable

    from adapters.vault.key_ring import KeyRing
    from domain.model.identity import Caller
    from ports.clock import Clock

USED_SECONDS: Final = 20.0
"""How long a signed token is used again; it lasts three times as long."""

CAPACITY: Final = 4096


@dataclass(frozen=True, slots=True)
class _Signed:
    token: str
    key_id: str
    until: float


@final
class CallerLogins:
    """Gives a signed token for each caller."""

    def __init__(self, keys: KeyRing, clock: Clock, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._signed: RecentlyUsed[Hashable, _Signed] = RecentlyUsed(CAPACITY)

    def token_for(self, caller: Caller) -> str:
        """Return a token that the server accepts for at least half a minute from now."""
        now = self._clock.monotonic()
        key = partition(caller)
        signed = self._signed.find(key)
        signer = self._keys.signer
        if signed is not None and now < signed.until and signed.key_id == signer.key_id:
            return signed.token
        token = sign(
            signer,
            caller,
            issuer=self._issuer,
            audience=self._audience,
            now=self._clock.now(),
        )
        self._signed.keep(key, _Signed(token, signer.key_id, now + USED_SECONDS))
        return token
