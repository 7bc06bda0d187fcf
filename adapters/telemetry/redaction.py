"""The second net under the logs: by a field's name, and by the shape of what stands in a line.

The first safeguard is that secrets are held in types that do not show them. This one applies where
code logs a secret by mistake.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"

SENSITIVE_ENDINGS = (
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "passphrase",
    "password",
    "private_key",
    "secret",
    "secrets",
    "seed",
    "seeds",
    "token",
    "tokens",
    "value",
)
"""A field whose name ends so never shows what it holds."""

# An nkeys seed: "S", the kind, then base32 (58 characters hold 32 bytes of key).
_SEED = re.compile(r"S[ABCMNOUVX][A-Z2-7]{56}")
# A JWT: its header is JSON, so its first segment begins with the base64url of '{"'.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
_BEARER = re.compile(r"[Bb]earer [A-Za-z0-9._~+/=-]+")


@lru_cache(maxsize=1024)
def is_sensitive_name(name: str) -> bool:
    """Tell whether a field of that name may be shown."""
    return name.lower().endswith(SENSITIVE_ENDINGS)


def redact_text(text: str) -> str:
    """Replace whatever looks like a seed, a JWT or a bearer credential."""
    # Each is looked for by its fixed beginning first: this runs on every line that is logged.
    text = _SEED.sub(REDACTED, text)
    if "eyJ" in text:
        text = _JWT.sub(REDACTED, text)
    if "earer " in text:
        text = _BEARER.sub(REDACTED, text)
    return text


def redact_fields(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide the fields, nested ones too, whose names say that they hold a secret."""
    for name, value in event.items():
        if is_sensitive_name(name):
            event[name] = REDACTED
        elif type(value) is dict:
            event[name] = dict(redact_fields(None, "", dict(value)))
    return event
