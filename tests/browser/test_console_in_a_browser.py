"""The console of a running service, used in a real Chromium."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.stage import HOSTILE, VALUE, Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
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


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_nothing_from_elsewhere_and_breaks_no_policy(
    browser: Any, stage: Stage, path: str
) -> None:
    async with tab(browser) as opened:
        response = await opened.page.goto(stage.console + path)
        await opened.page.wait_for_timeout(200)

        assert response.status == 200
        assert opened.complaints == []
        assert all(url.startswith(f"http://{stage.address}/console") for url in opened.asked)


async def test_requests_appear_as_they_end(browser: Any, stage: Stage) -> None:
    async with tab(browser) as opened:
        await opened.page.goto(f"{stage.console}/requests")
        await opened.page.wait_for_selector("#live-state:has-text('Live')")
        await stage.ask("payments/API_KEY", stage.token("checkout-live"))
        await stage.ask("payments/API_KEY", stage.token("reports"))
        await opened.page.wait_for_selector("#rows tr.answered:has-text('checkout-live')")
        refused = opened.page.locator("#rows tr.refused", has_text="reports").first

        assert "key_not_granted" in await refused.inner_text()
        assert VALUE not in await opened.page.content()
        await refused.locator("a").click()
        await opened.page.wait_for_url("**/console/reasons#key_not_granted")
        marked = opened.page.locator("tr:target")
        assert "compare" in await marked.inner_text()
        assert opened.complaints == []


async def test_the_live_part_pauses_and_shows_only_refusals(browser: Any, stage: Stage) -> None:
    async with tab(browser) as opened:
        await stage.ask("payments/API_KEY", stage.token("checkout"))
        await opened.page.goto(f"{stage.console}/requests")
        await opened.page.click("#pause")
        before = await opened.page.locator("#rows tr").count()
        await stage.ask("payments/DB_PASSWORD", stage.token("checkout"))
        await opened.page.wait_for_timeout(1200)

        assert await opened.page.locator("#rows tr").count() == before
        assert await opened.text("#live-state") == "Paused."
        await opened.page.click("#pause")
        await opened.page.wait_for_selector(f"#rows tr:nth-child({before + 1})")
        await opened.page.check("#only-refused")
        assert await opened.page.locator("#rows tr.answered:visible").count() == 0


async def test_hostile_keys_and_names_stay_text(browser: Any, stage: Stage) -> None:
    async with tab(browser) as opened:
        await opened.page.goto(f"{stage.console}/requests")
        await stage.ask(f"payments/{HOSTILE}", stage.token(HOSTILE))
        # Once by the script, once by the server.
        await opened.page.wait_for_selector("#rows tr:has-text('onerror')")
        live = await opened.page.title()
        await opened.page.goto(f"{stage.console}/requests")
        await opened.page.wait_for_selector("#rows tr:has-text('onerror')")

        assert live == await opened.page.title() == "Requests - wasmcloud-secrets"
        assert await opened.page.locator("main img, main script").count() == 0
        assert opened.complaints == []


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_pasted_token_is_explained_and_forgotten(
    browser: Any, stage: Stage, javascript: bool
) -> None:
    token = stage.token("reports")
    async with tab(browser, java_script_enabled=javascript) as opened:
        await opened.page.goto(f"{stage.console}/policy")
        await opened.page.get_by_label("Token of the component or provider").fill(token)
        await opened.page.get_by_label("Key").fill("payments/API_KEY")
        await opened.page.get_by_role("button", name="Explain").click()
        await opened.page.wait_for_selector("[role=alert]")

        assert await opened.page.title() == "Refused - wasmcloud-secrets"
        answer = await opened.text("[role=alert]")
        assert 'The nearest grant is "reports" (line 11)' in answer
        assert "/payments/API_KEY, environment prod" in answer
        assert await opened.page.get_by_label("Key").input_value() == "payments/API_KEY"
        assert token not in await opened.page.content()
        assert all("?" not in url for url in opened.asked if "explain" in url)
    assert token not in stage.service.output


async def test_the_allowed_request_names_its_grant(browser: Any, stage: Stage) -> None:
    async with tab(browser) as opened:
        await opened.page.goto(f"{stage.console}/policy")
        await opened.page.fill("#token", stage.token("checkout-web"))
        await opened.page.fill("#key", "payments/API_KEY")
        await opened.page.click("button[type=submit]")
        await opened.page.wait_for_selector("[role=alert]")

        assert 'Allowed by the grant "payments" (line 5).' in await opened.text("[role=alert]")


@pytest.mark.parametrize("path", PAGES)
async def test_without_javascript_every_page_says_what_it_has_to_say(
    browser: Any, stage: Stage, path: str
) -> None:
    await stage.ask("payments/API_KEY", stage.token("checkout-plain"))
    async with tab(browser, java_script_enabled=False) as opened:
        await opened.page.goto(stage.console + path)

        text = await opened.text("main")
        assert len(text) > 100
        assert "undefined" not in text
        if path == "/requests":
            assert "checkout-plain" in text
            assert "Load the page again" in text
            assert await opened.page.locator("#live-controls").is_hidden()


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


async def test_a_page_of_another_site_reads_nothing_and_cannot_ask(
    browser: Any, stage: Stage
) -> None:
    async with tab(browser) as opened:
        # The same machine under another name is another site.
        await opened.page.goto(f"http://localhost:{stage.address.partition(':')[2]}/livez")
        script = """async (at) => {
          const found = [];
          for (const [path, options] of [
            ['', {}], ['/events', {}], ['', {mode: 'no-cors'}],
            ['/explain', {method: 'POST', body: new URLSearchParams({token: 'a', key: 'b'})}],
          ]) {
            try { found.push((await fetch(at + path, options)).type); }
            catch { found.push('refused'); }
          }
          return found;
        }"""

        assert await opened.page.evaluate(script, stage.console) == ["refused"] * 4


async def test_the_stream_ends_with_the_service_and_comes_back_with_it(
    browser: Any, tmp_path: Path
) -> None:
    async with staged(tmp_path) as own, tab(browser) as opened:
        await opened.page.goto(f"{own.console}/requests")
        await opened.page.wait_for_selector("#live-state:has-text('Live')")
        began = asyncio.get_running_loop().time()
        code = await own.service.stop()
        took = asyncio.get_running_loop().time() - began
        await opened.page.wait_for_selector("#live-state:has-text('Trying again')")
        await own.service.start()
        await own.service.wait_for("service.ready", 2)
        await own.ask("payments/API_KEY", own.token("checkout-again"))

        await opened.page.wait_for_selector("#rows tr:has-text('checkout-again')", timeout=30_000)

    assert code == 0
    assert took < 5


async def test_each_worker_has_a_console_and_links_the_other(browser: Any, tmp_path: Path) -> None:
    async with staged(tmp_path, workers=2) as own, tab(browser) as opened:
        await opened.page.goto(own.console)
        assert "This page shows worker 0 of 2" in await opened.text()
        await opened.page.click("text=worker 1")
        await opened.page.wait_for_load_state()

        assert "This page shows worker 1 of 2" in await opened.text()
        assert opened.complaints == []
