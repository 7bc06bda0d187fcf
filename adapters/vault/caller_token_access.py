"""Reads with a token of the caller's own, from a login that goes before the first of them.

The role should give batch tokens: they leave nothing behind on the server, while each token of the
other kind stays until it expires.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, final

import structlog
from typing_extensions import override

from adapters.upstream.shared_work import SharedWork
from adapters.vault.access import Access, Pass
from adapters.vault.answer import OK
from adapters.vault.call import Call, namespace_header, token_header
from adapters.vault.caller_errors import caller_login_error
from adapters.vault.caller_jwt import partition
from adapters.vault.error_map import error_for
from adapters.vault.login import Token, read_token
from adapters.vault.token_makers import LOGIN_SECONDS, RENEWED_AT
from adapters.vault.wire_paths import login_path
from domain.model.recently_used import RecentlyUsed
from domain.model.workload import signed

if TYPE_CHECKING:
    from collections.abc import Hashable

    from adapters.vault.addressing import Place
    from adapters.vault.answer import Answer
    from adapters.vault.call import Calls
    from adapters.vault.caller_logins import CallerLogins
    from domain.model.errors import SecretsError
    from domain.model.identity import Caller
    from domain.model.workload import Workload
    from ports.clock import Clock

CAPACITY: Final = 4096

_log = structlog.get_logger()


@dataclass(slots=True)
class _Kept:
    """One caller's token.

    Attributes:
        until: monotonic seconds at which to log in again.
        is_confirmed: whether a call has succeeded with it.
    """

    token: Token = field(repr=False)
    until: float
    is_confirmed: bool = False


@final
class CallerTokenAccess(Access):
    """Logs each caller in once, and uses its token until two thirds of its time are over."""

    def __init__(self, logins: CallerLogins, mount: str, calls: Calls, clock: Clock) -> None:
        self._logins = logins
        self._mount = mount
        self._calls = calls
        self._clock = clock
        self._kept: RecentlyUsed[Hashable, _Kept] = RecentlyUsed(CAPACITY)
        # The requests of one caller share a login.
        self._running: SharedWork[_Kept] = SharedWork("vault-caller-login")
        self._has_warned = False

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        caller = signed(caller)
        key = (place.namespace, place.role, partition(caller))
        kept = self._kept.find(key)
        if kept is None or self._clock.monotonic() >= kept.until:
            kept = await self._running.outcome(partial(self._log_in, key, place, caller), key)
        return Pass(token_header(kept.token.value.get_secret_value()), kept)

    @override
    def doubt(self, used: Pass) -> bool:
        kept = _kept_of(used)
        # A new token that is refused at once would be followed by another of its kind.
        if not kept.is_confirmed:
            return False
        kept.until = -math.inf
        return True

    @override
    def confirm(self, used: Pass) -> None:
        _kept_of(used).is_confirmed = True

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        return caller_login_error(answer) if answer.inline_failed else error_for(answer)

    async def aclose(self) -> None:
        """End logins that are still running."""
        await self._running.aclose()

    async def _log_in(self, key: Hashable, place: Place, caller: Caller) -> _Kept:
        started = self._clock.monotonic()
        call = Call(
            "POST",
            login_path(self._mount),
            headers=namespace_header(place.namespace),
            body={"role": place.role, "jwt": self._logins.token_for(caller)},
            is_login=True,
        )
        answer = await self._calls.call(call, started + LOGIN_SECONDS)
        if answer.status != OK:
            raise caller_login_error(answer)
        token = read_token(answer)
        if not token.is_batch and not self._has_warned:
            self._has_warned = True
            _log.warning(
                "vault.caller_tokens_left_behind",
                advice="Set token_type=batch on the role, so that logins leave nothing behind.",
            )
        lasts = math.inf if token.seconds is None else RENEWED_AT * token.seconds
        kept = _Kept(token, started + lasts)
        self._kept.keep(key, kept)
        return kept


def _kept_of(used: Pass) -> _Kept:
    if not isinstance(used.source, _Kept):
        raise TypeError("the pass was made by another access")
    return used.source
