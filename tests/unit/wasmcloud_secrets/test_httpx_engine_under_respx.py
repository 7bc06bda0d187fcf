"""The engine by which respx stands in for a store's server, in the tests of plug-ins."""

from __future__ import annotations

import httpx
import pytest
import respx

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.message import UpstreamRequest
from tests.unit.adapters.upstream.http_rig import CONFIG
from wasmcloud_secrets.testing.httpx_engine import HttpxEngine

URL = "https://store.test/base/a%2Fb?x=1"
CANARY = "canary-77b1"


@respx.mock
async def test_a_request_is_sent_as_it_is_and_its_answer_comes_whole() -> None:
    route = respx.post(URL).respond(418, text="short", headers={"X-Kind": "teapot"})
    engine = HttpxEngine(CONFIG)

    response = await engine.send(UpstreamRequest("POST", URL, {"X-Token": "t"}, b"body"))
    await engine.aclose()

    sent = route.calls.last.request
    assert sent.url.raw_path == b"/base/a%2Fb?x=1"
    assert (sent.content, sent.headers["x-token"]) == (b"body", "t")
    assert (response.status, response.body) == (418, b"short")
    assert response.headers["x-kind"] == "teapot"


@respx.mock
async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    respx.get(URL).respond(302, headers={"Location": "https://elsewhere.test/"})

    assert (await HttpxEngine(CONFIG).send(UpstreamRequest("GET", URL, {}))).status == 302


@respx.mock
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ConnectError(CANARY), Failure.UNREACHABLE),
        (httpx.ReadError(CANARY), Failure.UNREACHABLE),
        (httpx.ReadTimeout(CANARY), Failure.TIMED_OUT),
    ],
    ids=["connect", "read", "read time-out"],
)
async def test_what_the_network_does_is_a_typed_failure_without_its_text(
    error: httpx.HTTPError, failure: Failure
) -> None:
    respx.get(URL).mock(side_effect=error)

    with pytest.raises(TransportError) as raised:
        await HttpxEngine(CONFIG).send(UpstreamRequest("GET", URL, {"Authorization": CANARY}))

    assert raised.value.failure is failure
    assert raised.value.__context__ is None
    assert CANARY not in repr(raised.value)


@respx.mock
@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("application/json; charset=utf-8", Failure.TOO_LARGE),
        ("text/html", Failure.UNREADABLE),
    ],
)
async def test_an_answer_beyond_the_bound_is_refused(kind: str, failure: Failure) -> None:
    content = bytes(CONFIG.max_body_bytes + 1)
    respx.get(URL).respond(200, content=content, headers={"content-type": kind})

    with pytest.raises(TransportError) as raised:
        await HttpxEngine(CONFIG).send(UpstreamRequest("GET", URL, {}))

    assert raised.value.failure is failure
