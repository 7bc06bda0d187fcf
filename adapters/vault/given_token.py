"""A token that the operator gives, in a variable or in a file that an agent keeps fresh."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from typing_extensions import override

from adapters.vault import reasons
from adapters.vault.error_map import doubts_token, error_for, refused
from adapters.vault.login import Token, read_token
from adapters.vault.token_makers import RENEWED_AT, TokenMaker, renew, warn_of_missing_right
from adapters.vault.wire import BAD_REQUEST, FORBIDDEN, OK
from domain.model.errors import UpstreamError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.upstream.credentials import CredentialSource
    from adapters.vault.wire import Answer, Calls
    from ports.clock import Clock

LOOK_AGAIN_SECONDS: Final = 30.0
"""How often a token's file is read, which an agent may write at any time."""


@final
@dataclass(slots=True)
class GivenToken(TokenMaker):
    """A token that the operator gives, renewed where the server allows it.

    Renewing also tells how long it counts, which asking for it would need a right that tokens
    without the default policy lack (measured).
    """

    source: CredentialSource
    namespace: str
    calls: Calls
    clock: Clock
    _text: SecretStr | None = field(default=None, init=False)
    _ends: float = field(default=math.inf, init=False)
    _renew_at: float = field(default=-math.inf, init=False)

    @override
    async def obtain(self, previous: Token | None) -> Token:
        text = await self.source.read()
        if text != self._text:
            self._text, self._ends, self._renew_at = text, math.inf, -math.inf
        if self.clock.monotonic() >= self._renew_at or previous is None:
            await self._renew(text)
        seconds = self._ends - self.clock.monotonic()
        if self.source.may_change:
            seconds = min(seconds, LOOK_AGAIN_SECONDS / RENEWED_AT)
        return Token(
            value=text,
            seconds=None if seconds == math.inf else max(0.0, seconds),
            is_renewable=False,
            is_batch=False,
        )

    @override
    async def has_changed(self) -> bool:
        if not self.source.may_change:
            return False
        try:
            return await self.source.read() != self._text
        except UpstreamError:
            return False

    async def _renew(self, text: SecretStr) -> None:
        started = self.clock.monotonic()
        answer = await renew(self.calls, self.namespace, text, self.clock)
        if answer.status == OK:
            lasts = read_token(answer).seconds
            self._ends = math.inf if lasts is None else started + lasts
            self._renew_at = math.inf if lasts is None else started + RENEWED_AT * lasts
            return
        if doubts_token(answer):
            raise UpstreamError(
                "Vault does not accept the token of VAULT_TOKEN or VAULT_TOKEN_FILE; check that "
                "it is neither expired, revoked, used up nor bound to other addresses.",
                reason=reasons.LOGIN_REFUSED,
            )
        if answer.status not in {BAD_REQUEST, FORBIDDEN}:
            raise _given_token_error(answer)
        warn_of_missing_right(answer)
        # It cannot be renewed, or may not: it counts until the server says otherwise.
        self._renew_at = math.inf


def _given_token_error(answer: Answer) -> UpstreamError:
    error = error_for(answer)
    return error if isinstance(error, UpstreamError) else refused(answer)
