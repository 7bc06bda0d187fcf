"""The console in light and dark, by the keyboard alone, and on a narrow screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.tabs import PAGES, tab

if TYPE_CHECKING:
    from tests.browser.stage import Stage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

_CONTRAST = """() => {
  const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = parse(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(element.outerHTML.slice(0, 80) + ' ' + ratio.toFixed(2));
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES, "/explained"])
async def test_texts_have_contrast_in_light_and_dark(
    browser: Any, stage: Stage, path: str, scheme: str
) -> None:
    await stage.ask("payments/API_KEY", stage.token("reports"))
    async with tab(browser, color_scheme=scheme) as opened:
        await opened.page.goto(stage.console + path.replace("/explained", "/policy"))
        if path == "/explained":
            await opened.page.fill("#token", stage.token("checkout"))
            await opened.page.fill("#key", "payments/API_KEY")
            await opened.page.click("button[type=submit]")
            await opened.page.wait_for_selector("[role=alert]")

        assert await opened.page.evaluate(_CONTRAST) == []
        ground = await opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is (scheme == "light")


async def test_the_keyboard_alone_is_enough(browser: Any, stage: Stage) -> None:
    async with tab(browser) as opened:
        await opened.page.goto(f"{stage.console}/policy")
        await opened.page.keyboard.press("Tab")
        assert await opened.page.evaluate("document.activeElement.className") == "skip"
        await opened.page.keyboard.press("Enter")
        await opened.page.keyboard.press("Tab")
        assert await opened.page.evaluate("document.activeElement.id") == "token"
        await opened.page.keyboard.type("no token")
        await opened.page.keyboard.press("Tab")
        await opened.page.keyboard.type("KEY")
        await opened.page.keyboard.press("Enter")
        await opened.page.wait_for_selector("[role=alert]")

        assert "The token is refused" in await opened.text("[role=alert]")


async def test_a_narrow_screen_scrolls_tables_and_not_the_page(browser: Any, stage: Stage) -> None:
    async with tab(browser, viewport={"width": 360, "height": 740}) as opened:
        for path in PAGES:
            await opened.page.goto(stage.console + path)
            overflow = "document.documentElement.scrollWidth - innerWidth"
            assert await opened.page.evaluate(overflow) <= 0, path
