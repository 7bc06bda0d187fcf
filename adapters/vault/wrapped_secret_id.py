"""A secret_id that was handed over in a wrapping token: opened once, after a look at its origin.

Any use of a wrapping token destroys it, but for `sys/wrapping/lookup` without a token, which shows
the path that made it (measured). A token that was opened before, or that was made
elsewhere, is a sign of theft: it is never opened, and the advice says what to look for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from pydantic import SecretStr
from typing_extensions import override

from adapters.upstream.credentials import CredentialSource
from adapters.vault import reasons
from adapters.vault.error_map import is_transient, refused, unavailable
from adapters.vault.wire import (
    BAD_REQUEST,
    FORBIDDEN,
    OK,
    UNWRAP,
    WRAPPING_LOOKUP,
    Call,
    login_call,
)
from domain.model.errors import RateLimited, StoreUnavailable, UpstreamError

if TYPE_CHECKING:
    from adapters.vault.wire import Answer, Calls
    from ports.clock import Clock

CALL_SECONDS: Final = 5.0


@final
class WrappedSecretId(CredentialSource):
    """Gives the secret_id that a wrapping token holds, and keeps it in memory alone."""

    def __init__(
        self,
        token: CredentialSource,
        *,
        mount: str,
        role: str,
        namespace: str,
        calls: Calls,
        clock: Clock,
    ) -> None:
        """Put the parts together. `mount`, `role`, `namespace`: of the AppRole whose secret_id the
        token must hold.
        """
        self.may_change = token.may_change
        self._token = token
        self._expected = f"auth/{mount}/role/{role}/secret-id"
        self._namespace = namespace
        self._calls = calls
        self._clock = clock
        self._opened: SecretStr | None = None
        self._secret_id: SecretStr | None = None
        self._refused: tuple[SecretStr, UpstreamError] | None = None

    @override
    async def read(self) -> SecretStr:
        token = await self._token.read()
        if token == self._opened:
            if self._secret_id is None:
                raise _spent()
            return self._secret_id
        if self._refused is not None and token == self._refused[0]:
            raise self._refused[1].again()
        try:
            await self._look_at(token)
        except (StoreUnavailable, RateLimited):
            raise
        except UpstreamError as error:
            # Looked at again and again, a token would be no other for it.
            self._refused = token, error
            raise
        # From here on the token counts as used, whatever becomes of the call.
        self._opened, self._secret_id = token, None
        self._secret_id = await self._unwrap(token)
        return self._secret_id

    async def look(self) -> None:
        """Look where the wrapping token was made, and leave it closed.

        Raises:
            UpstreamError: there is none, it was opened before or made elsewhere, or no answer.
        """
        await self._look_at(await self._token.read())

    async def _look_at(self, token: SecretStr) -> None:
        body = {"token": token.get_secret_value()}
        answer = await self._call(login_call(WRAPPING_LOOKUP, self._namespace, body))
        made_at = answer.member("data", "creation_path")
        # In whatever namespace.
        if not isinstance(made_at, str) or not f"/{made_at}".endswith(f"/{self._expected}"):
            raise UpstreamError(
                "The wrapping token was not made for a secret_id of the configured role, so it is "
                "not opened; check VAULT_ROLE and the mount, and if they are right, look "
                "for a token put in the right one's place.",
                reason=reasons.WRAPPING_PATH_WRONG,
            )

    async def _unwrap(self, token: SecretStr) -> SecretStr:
        plain = token.get_secret_value()
        answer = await self._call(
            login_call(UNWRAP, self._namespace, token=plain, repeatable=False)
        )
        secret_id = answer.member("data", "secret_id")
        if not isinstance(secret_id, str) or not secret_id:
            raise refused(answer)
        return SecretStr(secret_id)

    async def _call(self, call: Call) -> Answer:
        answer = await self._calls.call(call, self._clock.monotonic() + CALL_SECONDS)
        if answer.status == OK:
            return answer
        if answer.status in {BAD_REQUEST, FORBIDDEN} and answer.is_api:
            raise _spent()
        raise unavailable(answer) if is_transient(answer) else refused(answer)


def _spent() -> UpstreamError:
    return UpstreamError(
        "The wrapping token is expired or was opened before; write a new one. If no earlier start "
        "of this backend opened it, treat the secret_id as stolen and destroy it.",
        reason=reasons.WRAPPING_TOKEN_SPENT,
    )
