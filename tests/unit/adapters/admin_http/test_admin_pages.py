"""The pages as a client sees them, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from adapters.admin_http.app import build_app
from adapters.admin_http.readiness import Finding, Readiness, ReadinessCheck
from adapters.metrics.registry import Metrics
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGES = ("/livez", "/readyz", "/metrics")


class Pages:
    def __init__(self) -> None:
        clock = FakeClock()
        self.findings = {"nats": Finding(ok=True), "store": Finding(ok=True)}
        self.metrics = Metrics(clock, version="1", store="infisical")
        self.readiness = Readiness([self._check(name) for name in self.findings], clock)
        app = build_app(self.readiness, self.metrics, clock, closed={"/hook": "Set THE_KEY."})
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://admin")

    def _check(self, name: str) -> ReadinessCheck:
        async def probe() -> Finding:
            return self.findings[name]

        return ReadinessCheck(name, probe, fresh_seconds=0)


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    made = Pages()
    async with made.client:
        yield made
    await made.readiness.aclose()


async def test_alive_is_whoever_answers(pages: Pages) -> None:
    pages.findings["store"] = Finding(ok=False, advice="Start it.")

    response = await pages.client.get("/livez")

    assert (response.status_code, response.text) == (200, "alive\n")


async def test_ready_is_who_passes_every_check(pages: Pages) -> None:
    response = await pages.client.get("/readyz")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "ready": True,
        "checks": {
            "nats": {"ok": True, "advice": "", "age_seconds": 0.0},
            "store": {"ok": True, "advice": "", "age_seconds": 0.0},
        },
    }


async def test_one_failed_check_is_enough_not_to_be_ready_and_says_what_to_do(
    pages: Pages,
) -> None:
    pages.findings["store"] = Finding(ok=False, advice="Start it.")

    response = await pages.client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert response.json()["checks"]["store"] == {
        "ok": False,
        "advice": "Start it.",
        "age_seconds": 0.0,
    }


async def test_the_metrics_are_those_of_the_registry(pages: Pages) -> None:
    response = await pages.client.get("/metrics")

    assert response.status_code == 200
    assert response.headers["content-type"] == pages.metrics.content_type
    assert response.content == pages.metrics.render()


async def test_a_scrape_has_the_checks_made_that_are_due(pages: Pages) -> None:
    assert not pages.readiness.last()

    await pages.client.get("/metrics")
    await pages.readiness.report()

    assert set(pages.readiness.last()) == {"nats", "store"}


@pytest.mark.parametrize("page", PAGES)
async def test_no_page_may_be_kept_by_a_cache(pages: Pages, page: str) -> None:
    assert (await pages.client.get(page)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", PAGES)
async def test_head_answers_as_get_does(pages: Pages, page: str) -> None:
    assert (await pages.client.head(page)).status_code == 200


@pytest.mark.parametrize("host", ["", "evil.example", "admin:99999", "a b"])
async def test_it_does_not_matter_which_host_is_asked_for(pages: Pages, host: str) -> None:
    response = await pages.client.get("/livez", headers={"host": host})

    assert (response.status_code, response.text) == (200, "alive\n")


@pytest.mark.parametrize("page", [*PAGES, "/nowhere"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "EVIL"])
async def test_there_is_nothing_to_send(pages: Pages, page: str, method: str) -> None:
    response = await pages.client.request(method, page)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize(
    "headers", [{"content-length": "1"}, {"content-length": "x"}, {"transfer-encoding": "chunked"}]
)
async def test_a_body_is_refused_before_it_is_read(pages: Pages, headers: dict[str, str]) -> None:
    response = await pages.client.get("/livez", headers=headers)

    assert response.status_code == 413
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/livez/", "/LIVEZ", "/metrics/x", "/%2e%2e/etc/passwd", "//livez"]
)
async def test_whoever_asks_for_anything_else_is_told_what_there_is(
    pages: Pages, path: str
) -> None:
    response = await pages.client.get(path)

    assert response.status_code == 404
    assert response.text == "Nothing here; ask for /livez, /readyz or /metrics.\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_page_that_a_setting_would_open_is_absent_and_names_the_setting(
    pages: Pages, method: str
) -> None:
    response = await pages.client.request(method, "/hook", content=b"a body")

    assert (response.status_code, response.text) == (404, "Set THE_KEY.\n")
    assert response.headers["connection"] == "close"
