"""Tokens for attacks: claims and their signature in parts, and how a refused one ends."""

from __future__ import annotations

from typing import Any

from adapters.crypto.token_signer import SigningKey, sign_segments
from domain.model.errors import InvalidEntityJwt
from tests.adversarial.defended_core import COMPONENT, ISSUED_AT, TEAM, DefendedCore, message

HEADER = {"typ": "jwt", "alg": "Ed25519"}


def claims(**changes: Any) -> dict[str, Any]:
    """Return good claims of the team's component with some changed; `...` leaves one out."""
    good = {"jti": "attack", "iat": ISSUED_AT, "iss": TEAM.public, "sub": COMPONENT, **changes}
    return {name: value for name, value in good.items() if value is not ...}


def signed(
    document: dict[str, Any], header: dict[str, Any] | None = None, key: SigningKey = TEAM
) -> str:
    return sign_segments(key, header=header or HEADER, claims=document)


async def refused_entity(core: DefendedCore, entity: str) -> str:
    """Show a token that must not hold, and return the reason."""
    answer = await core.ask(message(entity_jwt=entity))
    assert isinstance(answer, InvalidEntityJwt)
    assert core.fetches == 0
    reason: str = core.record["reason"]
    return reason
