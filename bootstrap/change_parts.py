"""Word of changed secrets, as the service runs it: heard from others and passed on to them."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.change_notice.invalidator import CacheInvalidator

if TYPE_CHECKING:
    from adapters.cache.store import CachedSecretStore
    from adapters.change_notice.announcer import ChangeAnnouncer
    from adapters.change_notice.listener import InvalidationListener
    from domain.model.selection import Selection

_LONGEST_HOST_NAME = 100


@final
class KeptValues(CacheInvalidator):
    """What this replica keeps, and the calls under way that others may join."""

    def __init__(self, cache: CachedSecretStore) -> None:
        self._cache = cache

    @override
    def invalidate(self, selection: Selection) -> int:
        return self._cache.invalidate(selection)


@dataclass(frozen=True, slots=True)
class ChangeParts:
    """What hears and what spreads the word.

    Attributes:
        listener: takes orders from others.
        announcer: spreads what a webhook said; None without one.
    """

    listener: InvalidationListener
    announcer: ChangeAnnouncer | None = None

    async def start(self) -> None:
        """Listen; the connection stands."""
        await self.listener.start()

    async def aclose(self) -> None:
        """Finish what is being spread, within a few seconds, and listen no more."""
        if self.announcer is not None:
            await self.announcer.aclose()
        await self.listener.aclose()


def replica_name(host: str | None = None) -> str:
    """Name this process as answers and logs do: the machine's name and the process's number."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname() if host is None else host)
    return f"{plain[:_LONGEST_HOST_NAME]}:{os.getpid()}"
