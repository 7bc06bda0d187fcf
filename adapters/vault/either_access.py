"""Reads in the caller's name, by whichever way of logging in the server knows."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final, final

import structlog
from typing_extensions import override

from adapters.upstream.shared_work import SharedWork
from adapters.vault.access import Access
from adapters.vault.inline_access import knows_inline_login

if TYPE_CHECKING:
    from adapters.vault.access import Pass
    from adapters.vault.addressing import Place
    from adapters.vault.answer import Answer
    from adapters.vault.call import Calls
    from adapters.vault.caller_token_access import CallerTokenAccess
    from adapters.vault.inline_access import InlineAccess
    from domain.model.errors import SecretsError
    from domain.model.identity import Caller
    from domain.model.workload import Workload
    from ports.clock import Clock

PROBE_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 60.0
"""Between two looks at what the server knows: another version may have taken its place."""

_log = structlog.get_logger()


@final
class EitherAccess(Access):
    """Uses inline authentication where the server knows it, else a token for each caller."""

    def __init__(
        self,
        inline: InlineAccess,
        tokens: CallerTokenAccess,
        *,
        calls: Calls,
        mount: str,
        clock: Clock,
    ) -> None:
        self._inline = inline
        self._tokens = tokens
        self._calls = calls
        self._mount = mount
        self._clock = clock
        self._chosen: Access | None = None
        self._chosen_at = -math.inf
        self._looks: SharedWork[Access] = SharedWork("vault-look")

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        access = self._chosen or await self._looks.outcome(partial(self._look, place))
        return await access.authorize(place, caller)

    @override
    def doubt(self, used: Pass) -> bool:
        if used.source is not None:
            return self._tokens.doubt(used)
        if self._clock.monotonic() < self._chosen_at + AGAIN_SECONDS:
            return False
        self._chosen = None
        return True

    @override
    def confirm(self, used: Pass) -> None:
        if used.source is not None:
            self._tokens.confirm(used)

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        return (self._chosen or self._inline).error_for(answer)

    async def aclose(self) -> None:
        """End a look that is still running."""
        await self._looks.aclose()

    async def _look(self, place: Place) -> Access:
        deadline = self._clock.monotonic() + PROBE_SECONDS
        knows = await knows_inline_login(self._calls, self._mount, place, deadline)
        chosen: Access = self._inline if knows else self._tokens
        if chosen is not self._chosen:
            _log.info("vault.caller_login_chosen", way="inline" if knows else "token")
        self._chosen, self._chosen_at = chosen, self._clock.monotonic()
        return chosen
