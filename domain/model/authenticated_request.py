"""A request whose sender is known: what is asked and by whom, without the tokens that proved it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.model.identity import Caller
    from domain.model.secret import SecretValue


@dataclass(frozen=True, slots=True)
class AskedSecret:
    """Which secret a request names, in its own words."""

    key: str
    field: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class AuthenticatedRequest:
    """A request after both of its tokens were verified; their times hold for one moment only.

    Attributes:
        policy: the manifest's policy document as text; empty if there is none.
        entity_token: the component's or provider's token, where the store needs it.
    """

    asked: AskedSecret
    policy: str
    caller: Caller
    entity_token: SecretValue | None = None
