"""Who asks: keys and the claims that a verified token carries.

Claims follow wascap's JWTs; see `adapters.crypto.token_verifier` for how a signature is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

PublicXKey = NewType("PublicXKey", str)
"""A checked public X25519 key in nkeys text form: `X` and 55 more characters."""

AccountKey = NewType("AccountKey", str)
"""A checked public account nkey: `A` and 55 more characters. Issues tokens."""

SubjectKey = NewType("SubjectKey", str)
"""A checked public nkey of a component (`M`), provider (`V`) or host (`N`)."""


class IdentityKind(StrEnum):
    """What a token's subject is."""

    COMPONENT = "component"
    PROVIDER = "provider"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature has been verified; its times have not been checked.

    Times are seconds since the epoch. Only `subject`, `issuer` and the times are used to decide by
    default; the rest is what the issuer wrote about the artifact (for a host: about itself, which
    proves nothing).
    """

    kind: IdentityKind
    subject: SubjectKey
    issuer: AccountKey
    token_id: str
    issued_at: int
    expires_at: int | None = None
    not_before: int | None = None
    name: str | None = None
    revision: int | None = None
    version: str | None = None
    artifact_hash: str | None = None
    tags: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def time_problem(self, now: float, leeway: float) -> str | None:
        """Say what is wrong with the token's times at `now`, or None. `leeway`: seconds that the
        two clocks may differ.

        An entity's token that is dated ahead would seem young for longer than it is. A host signs
        its own token, which proves nothing, whatever its clock says.
        """
        if self.expires_at is not None and now >= self.expires_at + leeway:
            return "expired"
        if self.not_before is not None and now < self.not_before - leeway:
            return "not_yet_valid"
        if self.issued_at > now + leeway and self.kind is not IdentityKind.HOST:
            return "issued_ahead"
        return None


@dataclass(frozen=True, slots=True)
class Caller:
    """The identities that one request names.

    Attributes:
        entity: the component or provider the secret is for.
        host: the host that asks. It signs its own token, so this is a hint, not a proof.
        application: the wadm application's name, or None. A hint as well.
    """

    entity: Claims
    host: Claims
    application: str | None = field(default=None)
