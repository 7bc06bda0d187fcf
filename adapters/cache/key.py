"""What makes two requests ask for the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from domain.model.identity import Caller
    from domain.model.reference import SecretLocation

CacheKey: TypeAlias = "tuple[SecretLocation, str | None, Caller | None]"
"""The place, the version asked for, and the caller where the store answers per caller.

The whole caller, since such a store may look at any part of it. A plain tuple because it is built
and hashed on every request.
"""

_BOOKKEEPING_BYTES = 1024
"""For the objects around a value; about 900 were measured."""


def key_bytes(key: CacheKey) -> int:
    """Return about how much memory a key takes, with the entry that hangs on it."""
    location, version, caller = key
    # A host words its own token, so a caller can be as large as a request.
    texts = (location.path, repr(location.scope), version or "", repr(caller) if caller else "")
    return _BOOKKEEPING_BYTES + sum(
        4 * len(text) if not text.isascii() else len(text) for text in texts
    )
