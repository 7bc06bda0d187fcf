"""Who a command asks as: tokens from files, tokens signed on the spot, or a made-up identity."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.wascap_claims import IDENTITY_KINDS
from bootstrap.cli.reporting import CommandError, read_seed, read_text
from domain.model.messages import Application, RequestContext

if TYPE_CHECKING:
    from pathlib import Path

    from ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySource:
    """Where the entity's token comes from; what is not given is made up.

    Attributes:
        token_file: a finished token, as in a signed artifact.
        entity_seed_file: the seed of the component or provider (SM…, SV…).
        issuer_seed_file: the seed of the account that signs for it (SA…).
    """

    token_file: Path | None = None
    entity_seed_file: Path | None = None
    issuer_seed_file: Path | None = None

    def context(self, application: Application, clock: Clock) -> RequestContext:
        """Return what a host would send along.

        Raises:
            CommandError: files contradict each other or cannot be read.
            InvalidNKeyError: a seed is not of the kind needed.
        """
        # A wasmCloud host signs its own token with a random account at each start.
        host = _sign(SigningKey.generate(KeyKind.ACCOUNT), _public(KeyKind.HOST), clock)
        return RequestContext(
            entity_jwt=self._entity_token(clock), host_jwt=host, application=application
        )

    def _entity_token(self, clock: Clock) -> str:
        if self.token_file is not None:
            if self.entity_seed_file or self.issuer_seed_file:
                raise CommandError("Give the entity's token, or seeds to sign one with, not both.")
            return read_text(self.token_file, "the entity's token")
        subject = _public(KeyKind.COMPONENT)
        if self.entity_seed_file is not None:
            entity = SigningKey.from_seed(read_seed(self.entity_seed_file, "the entity's seed"))
            if entity.kind not in IDENTITY_KINDS:
                raise CommandError(
                    "The entity's seed must be a component's or provider's (SM, SV)."
                )
            subject = entity.public
        issuer = SigningKey.generate(KeyKind.ACCOUNT)
        if self.issuer_seed_file is not None:
            issuer = SigningKey.from_seed(
                read_seed(self.issuer_seed_file, "the issuer's seed"), KeyKind.ACCOUNT
            )
        return _sign(issuer, subject, clock)


def _public(kind: KeyKind) -> str:
    return SigningKey.generate(kind).public


def _sign(issuer: SigningKey, subject: str, clock: Clock) -> str:
    return sign_token(
        issuer,
        subject,
        token_id=str(uuid.uuid4()),
        issued_at=int(clock.now()),
        metadata={"name": "wasmcloud-secrets request"},
    )
