"""What makes two requests ask for the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Hashable

    from domain.model.reference import SecretLocation

CacheKey: TypeAlias = "tuple[SecretLocation, str | None, Hashable]"
"""The location, the version asked for, and the caller's partition; None where the store answers
every caller alike. A plain tuple, because it is built and hashed for every request."""

_BOOKKEEPING_BYTES = 1024
"""For the objects around a value; about 900 were measured."""


def key_bytes(key: CacheKey) -> int:
    """Return about how much memory a key takes, with the entry that hangs on it."""
    location, version, partition = key
    # A host words its own token, so a partition can be as large as a request.
    texts = (
        location.path,
        repr(location.scope),
        version or "",
        "" if partition is None else repr(partition),
    )
    return _BOOKKEEPING_BYTES + sum(
        4 * len(text) if not text.isascii() else len(text) for text in texts
    )
