"""Files that are followed by their content, which must stay the same for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ports.clock import Clock

POLL_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 0.5
"""A new content must stay the same for so long: half a file may be a valid one, without the
denials at its end."""

ContentT = TypeVar("ContentT")


async def settled(
    read: Callable[[], Awaitable[ContentT]], seen: ContentT | None, clock: Clock
) -> ContentT:
    """Return what a file holds: what was seen, or what has stayed the same since.

    Args:
        read: reads it; equal contents are equal values.
        seen: what is in force.
        clock: for the pauses.
    """
    content = await read()
    while content != seen:
        await clock.sleep(SETTLE_SECONDS)
        before, content = content, await read()
        if before == content:
            break
    return content
