"""The console of a running service, used in a real Chromium."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.stage import HOSTILE, VALUE, Stage, staged
from tests.browser.tabs import PAGES, tab

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


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
