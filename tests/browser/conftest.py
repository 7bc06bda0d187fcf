"""A real Chromium, where the system has one: `apt-get install chromium`."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.browser.stage import Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

playwright = pytest.importorskip(
    "playwright.async_api", reason="`make browser-test` installs what drives the browser"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    async with playwright.async_playwright() as driver:
        # Chromium's own sandbox does not start as root.
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Serve the tests that only look; a test that stops or breaks something makes its own."""
    folder: Path = tmp_path_factory.mktemp("service")
    async with staged(folder) as made:
        yield made
