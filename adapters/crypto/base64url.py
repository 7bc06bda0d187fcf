"""Base64url without padding (RFC 7515), decoded strictly: every byte string has one text."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


class InvalidBase64UrlError(ValueError):
    """The text is not unpadded base64url. Carries nothing of it."""


def encode(data: bytes) -> str:
    """Write bytes as unpadded base64url."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read unpadded base64url.

    Raises:
        InvalidBase64UrlError: alien characters, padding, an impossible length, or a last character
            with bits that belong to no byte.
    """
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        data = None
    # The standard decoder skips what it does not know; only encoding again shows what it passed.
    if data is None or encode(data) != text:
        raise InvalidBase64UrlError("not unpadded base64url")
    return data
