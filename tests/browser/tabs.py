"""Pages of the browser, watched."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGES = ("", "/requests", "/store", "/policy", "/keys", "/reasons")


@dataclass
class Tab:
    """A page of the browser, and what it complained of or asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def text(self, selector: str = "body") -> str:
        return str(await self.page.inner_text(selector))


@asynccontextmanager
async def tab(browser: Any, **options: Any) -> AsyncIterator[Tab]:
    context = await browser.new_context(**options)
    opened = Tab(await context.new_page())
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("request", lambda request: opened.asked.append(request.url))
    try:
        yield opened
    finally:
        await context.close()
