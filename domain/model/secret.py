"""A secret's value, held so that only `reveal` shows it."""

from __future__ import annotations

import hmac
from typing import Literal, NamedTuple, NoReturn, final


@final
class SecretValue:
    """A text or binary value that no log, repr, format, copy or pickle shows.

    Text is answered as `string_secret` (an empty one is legal), bytes as `binary_secret`.
    """

    __slots__ = ("__payload",)

    def __init__(self, payload: str | bytes) -> None:
        self.__payload = payload

    def reveal(self) -> str | bytes:
        """Return the plain value; the one way to it, so that every use can be found by name."""
        return self.__payload

    def __repr__(self) -> str:
        return "SecretValue(<hidden>)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        mine, theirs = self.reveal(), other.reveal()
        if isinstance(mine, str) or isinstance(theirs, str):
            if not (isinstance(mine, str) and isinstance(theirs, str)):
                return False
            return hmac.compare_digest(
                mine.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass")
            )
        return hmac.compare_digest(mine, theirs)

    # Hashing a value would put an oracle for it into sets and dict keys.
    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret value cannot be pickled or copied; pass the object itself")


FROM_STORE = "store"
"""`Secret.source` of an answer that the store was asked for."""

STALE = "stale"
"""`Secret.source` of an answer that may be older than allowed, given because the store is out."""


class Secret(NamedTuple):
    """What a store answers: a value and the version it really served.

    Attributes:
        version: the store's own name for the version served, never empty.
        upstream_request_id: the store's id for the call, for the audit trail.
        source: where this answer came from, such as "store"; for the audit trail.
        max_age_seconds: how long it may be cached at most, where the store knows that the value
            ends; None where it does not.
        note: a constant snake_case code for the audit trail about how the value was read; None
            where there is nothing to say.
        field_encoding: how a field of the value is read once it is selected: None as it is,
            "base64" as binary.
    """

    version: str
    value: SecretValue
    upstream_request_id: str | None = None
    source: str = FROM_STORE
    max_age_seconds: float | None = None
    note: str | None = None
    field_encoding: Literal["base64"] | None = None
