"""From a message to a request whose tokens' signatures and times hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.model.authenticated_request import AuthenticatedRequest
from domain.model.errors import InvalidEntityJwt, InvalidHostJwt
from domain.model.identity import Caller, IdentityKind
from domain.model.opaque import opaque
from domain.model.secret import SecretValue
from ports.token_verifier import TokenRejectedError

if TYPE_CHECKING:
    from domain.model.messages import SecretRequest
    from ports.clock import Clock
    from ports.token_verifier import TokenVerifier

ENTITY_KINDS = frozenset({IdentityKind.COMPONENT, IdentityKind.PROVIDER})
HOST_KINDS = frozenset({IdentityKind.HOST})

_ADVICE = {
    "bad_signature": "the signature is not its issuer's; sign it again with the issuer's key",
    "expired": "it has expired; sign it again, or check both clocks",
    "not_yet_valid": "it is not valid yet; check both clocks",
    "issued_ahead": "its iat lies ahead; check both clocks, or sign it again with the right one",
}
_BAD_TOKEN = (
    "it is no signed wascap token for a subject of this kind; sign it again with current tools"  # noqa: S105  a text about tokens
)


@opaque
class AuthenticateCaller:
    """Verifies the entity's token, then the host's. `keeps_entity_token`: whether the verified
    entity token is passed on, for a store that logs in with it.
    """

    tokens: TokenVerifier
    clock: Clock
    leeway_seconds: float
    keeps_entity_token: bool = False

    def __call__(self, message: SecretRequest) -> AuthenticatedRequest:
        """Verify both tokens of a request at the present time.

        Raises:
            InvalidEntityJwt: the component's or provider's token does not hold.
            InvalidHostJwt: the host's does not.
        """
        context, now = message.context, self.clock.now()
        try:
            entity = self.tokens.verify(context.entity_jwt, ENTITY_KINDS)
        except TokenRejectedError as rejected:
            raise _entity_refused(rejected.reason) from None
        if problem := entity.time_problem(now, self.leeway_seconds):
            raise _entity_refused(problem)
        try:
            host = self.tokens.verify(context.host_jwt, HOST_KINDS)
        except TokenRejectedError as rejected:
            raise _host_refused(rejected.reason) from None
        if problem := host.time_problem(now, self.leeway_seconds):
            raise _host_refused(problem)
        application, policy = None, ""
        if context.application is not None:
            application, policy = context.application.name, context.application.policy or ""
        token = SecretValue(context.entity_jwt) if self.keeps_entity_token else None
        return AuthenticatedRequest(message.asked, policy, Caller(entity, host, application), token)

    def again(self, caller: Caller) -> None:
        """Check at the present time what of a caller's tokens does not hold for ever.

        Raises:
            InvalidEntityJwt, InvalidHostJwt: it is not their time.
        """
        now = self.clock.now()
        if problem := caller.entity.time_problem(now, self.leeway_seconds):
            raise _entity_refused(problem)
        if problem := caller.host.time_problem(now, self.leeway_seconds):
            raise _host_refused(problem)


def _entity_refused(problem: str) -> InvalidEntityJwt:
    advice = _ADVICE.get(problem, _BAD_TOKEN)
    return InvalidEntityJwt(f"Entity token refused: {advice}.", reason=problem)


def _host_refused(problem: str) -> InvalidHostJwt:
    advice = _ADVICE.get(problem, _BAD_TOKEN)
    return InvalidHostJwt(f"Host token refused: {advice}.", reason=problem)
