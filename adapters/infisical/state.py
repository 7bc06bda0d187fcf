"""What the Infisical client shows to metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.infisical.read_gate_state import ReadGateState


@dataclass(frozen=True, slots=True)
class TokenState:
    """How the access token stands.

    Attributes:
        age_seconds: since the last login that succeeded.
        remaining_seconds: for which the token is still used; 0 once it was refused.
    """

    age_seconds: float
    remaining_seconds: float


@dataclass(frozen=True, slots=True)
class InfisicalState:
    """How things stand now.

    Attributes:
        token: None before the first login.
        login_pause_seconds: for which no login is sent, as Infisical asked.
        reads: what limits them.
        calls: HTTP calls that ended, logins included, by the class of their status.
    """

    token: TokenState | None
    login_pause_seconds: float
    reads: ReadGateState
    calls: Mapping[str, int] = field(repr=False)
