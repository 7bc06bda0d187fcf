"""One worker's part of a limit that its whole replica keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ports.store_plugin import StoreContext


def worker_share(calls: int | None, context: StoreContext) -> int | None:
    """Return this worker's part of so many calls, one at least; None where there is no limit."""
    if calls is None:
        return None
    share, left_over = divmod(calls, context.workers)
    return max(1, share + (context.worker < left_over))
