"""Looks for changed files, so that a change is served although answers are cached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wasmcloud_secrets.extension import Selection

if TYPE_CHECKING:
    from pathlib import Path

    from wasmcloud_secrets.extension import StoreContext


class FolderWatch:
    """Announces every file that is changed, created or removed.

    What it saw last outlives a run that fails: the next run announces what changed in between.
    """

    def __init__(self, folder: Path, seconds: float, context: StoreContext) -> None:
        self._folder = folder
        self._seconds = seconds
        self._context = context
        self._seen: dict[str, int] | None = None

    async def run(self) -> None:
        """Look again and again; never returns.

        The service supervises it: an exception shows in readiness, and it is started again.

        Raises:
            OSError: the folder cannot be read.
        """
        while True:
            now = await asyncio.to_thread(_versions, self._folder)
            before = now if self._seen is None else self._seen
            for path in before.keys() | now.keys():
                if before.get(path) != now.get(path):
                    # What is returned may be awaited, and need not be.
                    self._context.changed(Selection.one(path))
            self._seen = now
            await self._context.clock.sleep(self._seconds)


def _versions(folder: Path) -> dict[str, int]:
    return {
        "/" + file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
