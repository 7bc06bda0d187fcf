"""Looks for changed files, so that a change is served although answers are cached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wasmcloud_secrets.extension import Selection

if TYPE_CHECKING:
    from pathlib import Path

    from wasmcloud_secrets.extension import StoreContext


async def watch(folder: Path, seconds: float, context: StoreContext) -> None:
    """Announce every file that is changed, created or removed; never returns.

    The service supervises it: whatever it raises shows in readiness, and it is started again.

    Raises:
        OSError: the folder cannot be read.
    """
    before = await asyncio.to_thread(_versions, folder)
    while True:
        await context.clock.sleep(seconds)
        now = await asyncio.to_thread(_versions, folder)
        for path in before.keys() | now.keys():
            if before.get(path) != now.get(path):
                # What is returned may be awaited, and need not be.
                context.changed(Selection.one(path))
        before = now


def _versions(folder: Path) -> dict[str, int]:
    return {
        "/" + file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
