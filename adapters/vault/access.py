"""As whom a read asks: the service itself, or the caller."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, final

import structlog
from typing_extensions import override

from adapters.upstream.shared_work import SharedWork
from adapters.vault.error_map import error_for, refused
from adapters.vault.wire import token_header
from domain.model.opaque import opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.vault.addressing import Place
    from adapters.vault.caller_access import CallerTokenAccess, InlineAccess
    from adapters.vault.service_tokens import ServiceTokens
    from adapters.vault.wire import Answer, Calls
    from domain.model.errors import SecretsError
    from domain.model.identity import Caller
    from domain.model.workload import Workload
    from ports.clock import Clock

PROBE_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 60.0
"""Between two looks at what the server knows: another version may have taken its place."""

_log = structlog.get_logger()


def _of_no_help() -> bool:
    return False


def _not_counted() -> None:
    """Most ways to authorize do not depend on what became of the call."""


@opaque
class Pass:
    """What authorizes one call.

    Attributes:
        headers: hold a token or a login.
        doubt: hears that the server does not accept it, and says whether another may help.
        confirm: hears that the server accepted it.
    """

    headers: Mapping[str, str]
    doubt: Callable[[], bool] = _of_no_help
    confirm: Callable[[], None] = _not_counted


class Access(Protocol):
    """Authorizes calls; safe for concurrent calls of one event loop."""

    @abstractmethod
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        """Return what authorizes a call for this caller in this place.

        Raises:
            SecretsError: no authorization is to be had; the error says for whom and why.
        """

    def error_for(self, answer: Answer) -> SecretsError:
        """Return the error for an answer to an authorized call that is no success."""
        return refused(answer) if answer.inline_failed else error_for(answer)


@final
class ServiceAccess(Access):
    """Every caller's secrets are read with the service's own token."""

    def __init__(self, tokens: ServiceTokens) -> None:
        self._tokens = tokens

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        token = await self._tokens.current()
        header = token_header(token.value.get_secret_value())
        return Pass(header, partial(self._tokens.doubt, token), self._tokens.confirm)


@final
class AgentAccess(Access):
    """An agent or proxy at VAULT_ADDR logs in by itself; calls carry no token."""

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        return Pass({})


@final
class EitherAccess(Access):
    """Uses inline authentication where the server knows it, else a token for each caller."""

    def __init__(
        self,
        inline: InlineAccess,
        tokens: CallerTokenAccess,
        *,
        calls: Calls,
        clock: Clock,
    ) -> None:
        self._inline = inline
        self._tokens = tokens
        self._calls = calls
        self._clock = clock
        self._chosen: Access | None = None
        self._chosen_at = -math.inf
        self._looks: SharedWork[Access] = SharedWork("vault-look")

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        access = self._chosen or await self._looks.outcome(partial(self._look, place))
        used = await access.authorize(place, caller)
        return Pass(used.headers, self._may_be_another) if access is self._inline else used

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        return (self._chosen or self._inline).error_for(answer)

    async def aclose(self) -> None:
        """End a look that is still running."""
        await self._looks.aclose()

    def _may_be_another(self) -> bool:
        if self._clock.monotonic() < self._chosen_at + AGAIN_SECONDS:
            return False
        self._chosen = None
        return True

    async def _look(self, place: Place) -> Access:
        deadline = self._clock.monotonic() + PROBE_SECONDS
        knows = await self._inline.is_known(self._calls, place, deadline)
        chosen: Access = self._inline if knows else self._tokens
        if chosen is not self._chosen:
            _log.info("vault.caller_login_chosen", way="inline" if knows else "token")
        self._chosen, self._chosen_at = chosen, self._clock.monotonic()
        return chosen
