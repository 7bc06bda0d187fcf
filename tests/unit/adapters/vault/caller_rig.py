"""Callers, and both ways to log them in at a model of Vault that knows the signing key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nacl.signing import SigningKey

from adapters.vault.access import EitherAccess
from adapters.vault.addressing import Place
from adapters.vault.caller_access import CallerTokenAccess, InlineAccess
from adapters.vault.caller_logins import CallerLogins
from adapters.vault.signing_keys import KeyRing
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from tests.fakes.clock import FakeClock
from tests.unit.adapters.vault.model_calls import ModelCalls
from tests.unit.adapters.vault.test_vault_signing_keys import pem

if TYPE_CHECKING:
    from pathlib import Path

SEED = b"\x01" * 32
PLACE = Place("secret", role="demo")
CALLER = Caller(
    entity=Claims(
        IdentityKind.COMPONENT, SubjectKey("MSHOP"), AccountKey("ATEAM"), "jti", 0, name="shop"
    ),
    host=Claims(IdentityKind.HOST, SubjectKey("NHOST"), AccountKey("AHOST"), "2", 0),
    application="store-front",
)
UNNAMED = replace(
    CALLER, entity=replace(CALLER.entity, kind=IdentityKind.PROVIDER, name=None), application=None
)


class Rig:
    """Both ways to log callers in, at a model of Vault that knows the key."""

    def __init__(self, folder: Path) -> None:
        file = folder / "keys.pem"
        file.write_text(pem(SEED), "utf-8")
        self.calls, self.clock = ModelCalls(), FakeClock()
        self.server = self.calls.model.logins
        self.server.jwt_keys = [bytes(SigningKey(SEED).verify_key)]
        self.server.token_type = "batch"
        self.logins = CallerLogins(
            KeyRing(file), self.clock, issuer="wasmcloud-secrets", audience="Vault"
        )
        self.inline = InlineAccess(self.logins, "jwt")
        self.tokens = CallerTokenAccess(self.logins, "jwt", self.calls, self.clock)
        self.either = EitherAccess(self.inline, self.tokens, calls=self.calls, clock=self.clock)
