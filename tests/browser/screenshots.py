"""Takes the pictures of docs/console.md again: `make screenshots`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.stage import Stage, staged
from tests.unit.docs.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGES = ROOT / "docs" / "images"
_SIZE: Any = {"width": 1180, "height": 700}
_PICTURES = {
    "light": ("overview", "requests", "explain"),
    "dark": ("requests", "store"),
}


async def _traffic(stage: Stage) -> None:
    for name, key in (
        ("checkout", "payments/API_KEY"),
        ("checkout", "payments/API_KEY"),
        ("checkout-web", "payments/DB_PASSWORD"),
        ("reports", "payments/API_KEY"),
        ("checkout", "payments/MISSING"),
        ("checkout-web", "payments/API_KEY"),
    ):
        await stage.ask(key, stage.token(name))


async def _explained(page: Any, stage: Stage) -> None:
    await page.goto(f"{stage.console}/policy")
    await page.fill("#token", stage.token("reports"))
    await page.fill("#key", "payments/API_KEY")
    await page.click("button[type=submit]")
    await page.wait_for_selector("[role=alert]")


async def _take(stage: Stage) -> Sequence[Path]:
    taken = []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=os.geteuid() != 0
        )
        for scheme, names in _PICTURES.items():
            page = await browser.new_page(color_scheme=scheme, viewport=_SIZE)
            for name in names:
                if name == "explain":
                    await _explained(page, stage)
                else:
                    await page.goto(f"{stage.console}/{name}".removesuffix("/overview"))
                    await page.wait_for_timeout(600)
                path = IMAGES / f"console-{name}-{scheme}.png"
                await page.screenshot(path=path, full_page=name == "requests")
                taken.append(path)
        await browser.close()
    return taken


async def main() -> None:
    """Start a service, let hosts ask it, and take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        async with staged(Path(folder)) as stage:
            await _traffic(stage)
            for path in await _take(stage):
                sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    asyncio.run(main())
