"""As whom a read asks: the service itself, or the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

from typing_extensions import override

from adapters.vault.call import token_header
from adapters.vault.error_map import error_for, refused
from adapters.vault.login import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vault.addressing import Place
    from adapters.vault.answer import Answer
    from adapters.vault.service_tokens import ServiceTokens
    from domain.model.errors import SecretsError
    from domain.model.identity import Caller
    from domain.model.workload import Workload


@dataclass(frozen=True, slots=True)
class Pass:
    """What authorizes one call.

    Attributes:
        headers: hold a token or a login.
        source: the token or the caller that it was made of, for the access that made it.
    """

    headers: Mapping[str, str] = field(repr=False)
    source: object = field(default=None, repr=False)


class Access(Protocol):
    """Authorizes calls; safe for concurrent calls of one event loop."""

    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        """Return what authorizes a call for this caller in this place.

        Raises:
            SecretsError: no authorization is to be had; the error says for whom and why.
        """

    def doubt(self, used: Pass) -> bool:
        """Hear that the server does not accept a pass, and say whether another may help."""

    def confirm(self, used: Pass) -> None:
        """Hear that the server accepted a pass."""

    def error_for(self, answer: Answer) -> SecretsError:
        """Return the error for an answer to an authorized call that is no success."""


@final
class ServiceAccess(Access):
    """Every caller's secrets are read with the service's own token."""

    def __init__(self, tokens: ServiceTokens) -> None:
        self._tokens = tokens

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        token = await self._tokens.current()
        return Pass(token_header(token.value.get_secret_value()), token)

    @override
    def doubt(self, used: Pass) -> bool:
        return self._tokens.doubt(_token_of(used))

    @override
    def confirm(self, used: Pass) -> None:
        self._tokens.confirm()

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        return refused(answer) if answer.inline_failed else error_for(answer)


@final
class AgentAccess(Access):
    """An agent or proxy at VAULT_ADDR logs in by itself; calls carry no token."""

    @override
    async def authorize(self, place: Place, caller: Caller | Workload) -> Pass:
        return Pass({})

    @override
    def doubt(self, used: Pass) -> bool:
        return False

    @override
    def confirm(self, used: Pass) -> None:
        return None

    @override
    def error_for(self, answer: Answer) -> SecretsError:
        return refused(answer) if answer.inline_failed else error_for(answer)


def _token_of(used: Pass) -> Token:
    if not isinstance(used.source, Token):
        raise TypeError("the pass was made by another access")
    return used.source
