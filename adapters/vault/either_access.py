"""Reads in the caller's name, by whichever way of logging in the server knows."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, final

import structlog
from typing_extensions import override

from adapters.upstream.failures import again
from adapters.vault.access import Access
from adapters.vault.inline_access import knows_inline_login
from domain.model.errors import SecretsError, StoreUnavailable

if TYPE_CHECKING:
    from adapters.vault.access import Pass
    from adapters.vault.addressing import Place
    from adapters.vault.answer import Answer
    from adapters.vault.call import Calls
    from adapters.vault.caller_token_access import CallerTokenAccess
    from adapters.vault.inline_access import InlineAccess
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
        """Take both ways, and what finds out which the server knows."""
        self._inline = inline
        self._tokens = tokens
        self._calls = calls
        self._mount = mount
        self._clock = clock
        self._chosen: Access | None = None
        self._chosen_at = -math.inf
        self._running: asyncio.Task[Access | SecretsError] | None = None

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        access = self._chosen or await self._choose(place)
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
    def login_error(self, answer: Answer) -> SecretsError:
        return self._inline.login_error(answer)

    async def aclose(self) -> None:
        """End a look that is still running."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _choose(self, place: Place) -> Access:
        if self._running is None:
            self._running = asyncio.create_task(self._look(place), name="vault-look")
            self._running.add_done_callback(self._finished)
        running = self._running
        await asyncio.wait({running})
        if running.cancelled():
            raise StoreUnavailable(
                "This backend is shutting down; start the component again, another replica will "
                "answer.",
                reason="closed",
            )
        outcome = running.result()
        if isinstance(outcome, SecretsError):
            raise again(outcome)
        return outcome

    async def _look(self, place: Place) -> Access | SecretsError:
        deadline = self._clock.monotonic() + PROBE_SECONDS
        try:
            knows = await knows_inline_login(self._calls, self._mount, place, deadline)
        except SecretsError as error:
            return error
        chosen: Access = self._inline if knows else self._tokens
        if chosen is not self._chosen:
            _log.info("vault.caller_login_chosen", way="inline" if knows else "token")
        self._chosen, self._chosen_at = chosen, self._clock.monotonic()
        return chosen

    def _finished(self, _: asyncio.Task[Access | SecretsError]) -> None:
        self._running = None
