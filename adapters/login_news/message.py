"""What crosses the subject, in strict JSON: whose login was refused, and who says so."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from domain.model.strict_json import MalformedJsonError, parse_json

SCHEMA: Final = 1
MAX_MESSAGE_BYTES: Final = 1024

_DIGEST = re.compile(r"[0-9a-f]{32}", re.ASCII)


class MalformedNewsError(ValueError):
    """The message is none of ours. Its text is a code and carries nothing of it."""


def digest_of(server: str, client_id: str) -> str:
    """Name an identity without showing its client id.

    Args:
        server: the address that it logs in at.
        client_id: as sent with a login; the client secret has no part in it.
    """
    return sha256(f"{server}\n{client_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """One login was refused.

    Attributes:
        identity: from `digest_of`.
        origin: 32 hexadecimal digits that the sending process drew for itself.
    """

    identity: str
    origin: str

    def to_json(self) -> bytes:
        """Write the message."""
        members = {"schema": SCHEMA, "identity": self.identity, "origin": self.origin}
        return json.dumps(members).encode("ascii")

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Read a message; members that later versions add are ignored.

        Raises:
            MalformedNewsError: it is none.
        """
        document: object = None
        try:
            if len(body) <= MAX_MESSAGE_BYTES:
                document = parse_json(body)
        except MalformedJsonError:
            document = None
        if isinstance(document, dict) and document.get("schema") == SCHEMA:
            identity, origin = document.get("identity"), document.get("origin")
            if _is_digest(identity) and _is_digest(origin):
                return cls(str(identity), str(origin))
        raise MalformedNewsError("malformed")


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
