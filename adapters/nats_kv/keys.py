"""How a secret's key and version are spelled in a NATS KV bucket.

`payments/API_KEY` and `/payments/API_KEY` are one secret, stored under the KV key
`payments/API_KEY`. A KV key that itself begins with "/" would be a second secret of that name, so
it is never served; copying its sealed value to the name without the slash makes it one that is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from domain.model.errors import InvalidRequest, PolicyError
from domain.model.key_path import parse_key
from domain.model.reference import SecretLocation

if TYPE_CHECKING:
    from domain.model.reference import SecretReference


MAX_REVISION = 2**64 - 1
"""JetStream counts messages in an unsigned 64-bit number."""

# The characters every NATS client allows in a KV key (ADR-8). The key becomes part of a subject,
# where "." separates tokens and an empty token matches nothing.
_KV_KEY = re.compile(r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*")


def kv_key(key: str) -> str:
    """Return the KV key that holds the secret `key`.

    Raises:
        InvalidRequest: the key names no single secret, or a KV key cannot spell it.
    """
    parsed = parse_key(key)
    name = "/".join((*parsed.folders, parsed.name))
    if not _KV_KEY.fullmatch(name):
        raise InvalidRequest(
            'A key may hold only ASCII letters, digits and "/", "_", "-", "=", ".", with no "." at '
            "an end or beside another; rename the secret.",
            reason="key_characters",
        )
    return name


def locate(reference: SecretReference, bucket: str) -> SecretLocation:
    """Return the place that a reference means in the bucket that is served.

    Raises:
        InvalidRequest: as `kv_key` does.
        PolicyError: a property is unknown, or names another bucket.
    """
    for name, text in reference.properties.items():
        if name != "bucket":
            raise PolicyError(
                'NATS KV knows no policy property but "bucket"; remove the others from the '
                "manifest.",
                reason="policy_property_unknown",
            )
        if text != bucket:
            raise PolicyError(
                "That bucket is not served here; remove the property, or ask the backend that "
                "serves it.",
                reason="policy_bucket_not_allowed",
            )
    return SecretLocation(path=f"/{kv_key(reference.key)}", scope=(("bucket", bucket),))


def is_served(name: str) -> bool:
    """Whether some request can reach the KV key `name`."""
    try:
        return kv_key(name) == name
    except InvalidRequest:
        return False


def parse_revision(version: str) -> int:
    """Read a version, which is a KV revision in decimal.

    Raises:
        InvalidRequest: it is anything else, or out of range.
    """
    if version.isascii() and version.isdigit() and len(version) <= len(str(MAX_REVISION)):
        revision = int(version)
        if 0 < revision <= MAX_REVISION:
            return revision
    raise InvalidRequest(
        "A version is a KV revision here: a whole number above 0, without a sign.",
        reason="version_malformed",
    )
