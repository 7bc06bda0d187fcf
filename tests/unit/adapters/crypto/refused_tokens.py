"""Why a token is refused."""

from __future__ import annotations

import pytest

from adapters.crypto.token_verifier import WascapTokenVerifier
from domain.model.identity import IdentityKind
from ports.token_verifier import TokenRejectedError

EVERY_KIND = frozenset(IdentityKind)


def reason(token: str, expected: frozenset[IdentityKind] = EVERY_KIND) -> str:
    """Return why the token is refused."""
    with pytest.raises(TokenRejectedError) as caught:
        WascapTokenVerifier().verify(token, expected)
    rejection = caught.value
    assert rejection.args == (rejection.reason,)
    assert rejection.__context__ is None
    assert rejection.__cause__ is None
    return rejection.reason
