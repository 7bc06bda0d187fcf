"""Which requests reach the console, and what its answers allow a browser."""

from __future__ import annotations

import pytest

from adapters.console.app import CONTENT_POLICY
from tests.unit.adapters.console.stage import HERE, PAGES, Stage

FORM = {"token": "ey", "key": "KEY"}


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_is_answered(client: str) -> None:
    assert (await Stage(client=client).get()).status_code == 200


@pytest.mark.parametrize("client", ["10.0.0.7", "192.0.2.1", "fe80::1", "::ffff:10.0.0.7", "x", ""])
@pytest.mark.parametrize("path", [*PAGES, "/events", "/console.css", "/nothing"])
async def test_another_machine_sees_nothing_and_hears_how_to_come(client: str, path: str) -> None:
    response = await Stage(client=client).get(path)

    assert response.status_code == 403
    assert "kubectl port-forward" in response.text
    assert "plain" not in response.text


async def test_another_machine_cannot_ask() -> None:
    stage = Stage(client="10.0.0.7")

    assert (await stage.ask(FORM)).status_code == 403
    assert stage.sources.questions == []


@pytest.mark.parametrize("path", [*PAGES, "/console.css", "/console.js", "/nothing"])
async def test_every_answer_forbids_foreign_and_inline_content_and_is_never_kept(path: str) -> None:
    headers = (await Stage().get(path)).headers

    assert headers["content-security-policy"] == CONTENT_POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "unsafe" not in CONTENT_POLICY
    assert "http" not in CONTENT_POLICY


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
)
async def test_another_site_opens_no_stream_and_embeds_nothing(headers: dict[str, str]) -> None:
    assert (await Stage().get("/events", headers)).status_code == 403
    assert (await Stage().get("/console.js", headers)).status_code == 403


async def test_a_link_from_another_site_shows_the_page() -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}

    assert (await Stage().get("", headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": "http://attacker.example"},
        {"origin": "http://127.0.0.1:9091"},
        {"origin": f"{HERE}.attacker.example"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
async def test_a_form_of_another_site_is_not_judged(headers: dict[str, str]) -> None:
    stage = Stage()

    assert (await stage.ask(FORM, headers)).status_code == 403
    assert stage.sources.questions == []


async def test_a_form_without_an_origin_is_not_judged() -> None:
    stage = Stage()

    response = await stage.client.post("/console/explain", data=FORM)

    assert response.status_code == 403
    assert stage.sources.questions == []


async def test_an_old_browser_without_fetch_metadata_may_ask() -> None:
    stage = Stage()
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": HERE}

    response = await stage.client.post(
        "/console/explain", content="token=ey&key=KEY", headers=headers
    )

    assert response.status_code == 200
    assert len(stage.sources.questions) == 1
