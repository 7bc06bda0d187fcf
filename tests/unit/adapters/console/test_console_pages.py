"""The pages as they are written, whatever texts they show."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise

import pytest
from prometheus_client.core import GaugeMetricFamily
from typing_extensions import override

from tests.unit.adapters.console.stage import HOSTILE, PAGES, Stage, event

_VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """What stands in a page: tags with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), tag
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


async def written(path: str, text: str = "plain") -> Page:
    stage = Stage(text, workers=3)
    stage.feed.record(event(f"/{text}", name=text))
    stage.feed.record(event(f"/{text}", name=text, reason="key_not_granted"))
    gauge = GaugeMetricFamily("wasmcloud_secrets_plugin_things", text, labels=["kind"])
    gauge.add_metric([text], 3)
    stage.sources.metrics.append(gauge)
    if path == "/explain":
        members = dict.fromkeys(("token", "key", "field", "version", "application"), text)
        response = await stage.ask({**members, "properties": f"a={text}", "every_grant": "yes"})
    else:
        response = await stage.get(path)
    assert response.status_code == 200, path
    return Page(response.text)


@pytest.mark.parametrize("path", PAGES)
async def test_foreign_texts_become_text_and_nothing_else(path: str) -> None:
    plain, hostile = await written(path), await written(path, HOSTILE)

    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert not any(name.startswith("on") for _, attributes in hostile.tags for name in attributes)
    assert not hostile.open
    if path != "/reasons":
        assert HOSTILE in hostile.text


@pytest.mark.parametrize("path", PAGES)
async def test_a_template_of_a_peer_is_not_run(path: str) -> None:
    assert "{49}" not in (await written(path, "{{{7*7}}}")).text
    assert "49" not in (await written(path, "{{ 7*7 }}")).text.replace("1.2.3", "")


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_stands_in_a_page_that_its_policy_forbids(path: str) -> None:
    page = await written(path)

    assert not page.all("style")
    assert all(script.get("src", "") == "/console/console.js" for script in page.all("script"))
    for _, attributes in page.tags:
        assert "style" not in attributes
        for name in ("src", "action"):
            assert (attributes.get(name) or "/console").startswith("/console")
        href = attributes.get("href") or "/console"
        assert href.startswith(("/console", "#", "http://127.0.0.1:90")), href


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_can_be_used_without_seeing_it(path: str) -> None:
    page = await written(path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    labelled = {label.get("for") for label in page.all("label")}

    assert page.all("html")[0]["lang"] == "en"
    assert len(ids) == len(set(ids))
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    assert len(page.all("table")) == len(page.all("caption"))
    assert all("scope" in cell for cell in page.all("th"))
    for tag, attributes in page.tags:
        if tag in {"input", "textarea"} and attributes.get("type") != "checkbox":
            assert attributes["id"] in labelled
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name) in {None, *ids}
    levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3"}]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    current = [link for link in page.all("a") if link.get("aria-current") == "page"]
    assert len(current) == 1


async def test_every_worker_is_linked_and_this_one_named() -> None:
    page = await written("")
    links = [link["href"] for link in page.all("a")]

    assert "http://127.0.0.1:9091/console" in links
    assert "http://127.0.0.1:9092/console" in links
    assert "http://127.0.0.1:9090/console" not in links
    assert "worker 0, shown here" in page.text


async def test_a_check_that_fails_is_shown_with_what_to_do() -> None:
    page = await written("")

    assert "Not ready" in page.text
    assert "Mend plain." in page.text


async def test_a_refusal_links_what_its_reason_means() -> None:
    page = await written("/requests")

    assert {"href": "/console/reasons#key_not_granted"} in page.all("a")


async def test_figures_of_a_store_that_the_console_does_not_know_are_shown() -> None:
    page = await written("/store")

    assert "Further figures" in page.text
    assert "plugin_things" in page.text


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((5, 0), "no host has used another key"),
        ((5, 2), "restart those hosts first"),
    ],
)
async def test_the_page_of_keys_says_whether_the_former_key_is_used(
    counts: tuple[int, int], said: str
) -> None:
    stage = Stage()
    opened = GaugeMetricFamily("wasmcloud_secrets_requests_opened_total", "", labels=["server_key"])
    for key, count in zip(("current", "retired"), counts, strict=True):
        opened.add_metric([key], count)
    stage.sources.metrics.append(opened)

    assert said in (await stage.get("/keys")).text


@pytest.mark.parametrize("path", ["/nothing", "/../metrics", "/console.py", "/static/console.css"])
async def test_what_is_not_there_is_said_plainly(path: str) -> None:
    response = await Stage().get(path)

    assert response.status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["", "/policy", "/events", "/console.js"])
async def test_nothing_can_be_sent_to_a_page(method: str, path: str) -> None:
    response = await Stage().client.request(
        method, f"/console{path}", headers={"origin": "http://127.0.0.1:9090"}
    )

    assert response.status_code == 405
