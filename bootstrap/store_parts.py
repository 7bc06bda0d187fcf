"""A secret store as the service runs it: reading, checking at start, closing at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ports.secret_store import SecretStore
    from ports.store_check import StoreCheck


async def nothing_to_close() -> None:
    """Close a store that opened nothing of its own."""


@dataclass(frozen=True, slots=True)
class StoreParts:
    """What a new store brings.

    Attributes:
        close: ends the connections that the store itself opened; called once, after the last fetch.
    """

    store: SecretStore
    check: StoreCheck
    close: Callable[[], Awaitable[None]] = nothing_to_close
