"""From tokens to a caller whose signatures and times hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.model.errors import InvalidEntityJwt, InvalidHostJwt
from domain.model.identity import Caller, IdentityKind
from ports.token_verifier import TokenRejectedError

if TYPE_CHECKING:
    from domain.model.identity import Claims
    from domain.model.messages import RequestContext
    from ports.clock import Clock
    from ports.token_verifier import TokenVerifier

ENTITY_KINDS = frozenset({IdentityKind.COMPONENT, IdentityKind.PROVIDER})
HOST_KINDS = frozenset({IdentityKind.HOST})

_ADVICE = {
    "bad_signature": "the signature is not its issuer's; sign it again with the issuer's key",
    "expired": "it has expired; sign it again, or check both clocks",
    "not_yet_valid": "it is not valid yet; check both clocks",
}
_BAD_TOKEN = (
    "it is no signed wascap token for a subject of this kind; sign it again with current tools"  # noqa: S105  a text about tokens
)


@dataclass(frozen=True, slots=True)
class AuthenticateCaller:
    """Verifies the entity's token, then the host's."""

    tokens: TokenVerifier
    clock: Clock
    leeway_seconds: float

    def __call__(self, context: RequestContext) -> Caller:
        """Verify both tokens of a request at the present time.

        Raises:
            InvalidEntityJwt: the component's or provider's token does not hold.
            InvalidHostJwt: the host's does not.
        """
        entity, problem = self._verify(context.entity_jwt, ENTITY_KINDS)
        if entity is None:
            raise InvalidEntityJwt(f"Entity token refused: {_advice(problem)}.", reason=problem)
        host, problem = self._verify(context.host_jwt, HOST_KINDS)
        if host is None:
            raise InvalidHostJwt(f"Host token refused: {_advice(problem)}.", reason=problem)
        application = context.application.name if context.application else None
        return Caller(entity, host, application)

    def _verify(self, token: str, kinds: frozenset[IdentityKind]) -> tuple[Claims | None, str]:
        try:
            claims = self.tokens.verify(token, kinds)
        except TokenRejectedError as rejected:
            return None, rejected.reason
        problem = claims.time_problem(self.clock.now(), self.leeway_seconds)
        return (None, problem) if problem else (claims, "")


def _advice(problem: str) -> str:
    return _ADVICE.get(problem, _BAD_TOKEN)
