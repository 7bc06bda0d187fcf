"""A request whose sender is known: what is asked and by whom, without the tokens that proved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from domain.model.identity import Caller
    from domain.model.secret import SecretValue


class AskedSecret(NamedTuple):
    """Which secret a request names, in its own words."""

    key: str
    field: str | None = None
    version: str | None = None


class AuthenticatedRequest(NamedTuple):
    """A request after both of its tokens were verified; their times hold for one moment only.

    A named tuple, since nearly every request makes one.

    Attributes:
        policy: the manifest's policy document as text; empty if there is none.
        entity_token: the component's or provider's token, where the store needs it.
    """

    asked: AskedSecret
    policy: str
    caller: Caller
    entity_token: SecretValue | None = None

    def with_policy(self, policy: str) -> AuthenticatedRequest:
        """Return the same request with another policy."""
        return AuthenticatedRequest(self.asked, policy, self.caller, self.entity_token)
