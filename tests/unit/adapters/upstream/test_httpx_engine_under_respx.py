"""The httpx engine, with respx in the part of the server: plug-ins may test their calls so."""

from __future__ import annotations

import httpx
import pytest
import respx

from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.httpx_engine import HttpxEngine
from adapters.upstream.message import UpstreamRequest
from tests.unit.adapters.upstream.http_rig import CONFIG

URL = "https://store.test/base/a%2Fb?x=1"
CANARY = "canary-77b1"


@pytest.fixture
def engine() -> HttpxEngine:
    return HttpxEngine(CONFIG)


@respx.mock
async def test_a_request_is_sent_as_it_is_and_its_answer_comes_whole(engine: HttpxEngine) -> None:
    route = respx.post(URL).respond(418, text="short", headers={"X-Kind": "teapot"})

    response = await engine.send(UpstreamRequest("POST", URL, {"X-Token": "t"}, b"body"))

    sent = route.calls.last.request
    assert sent.url.raw_path == b"/base/a%2Fb?x=1"
    assert (sent.content, sent.headers["x-token"]) == (b"body", "t")
    assert (response.status, response.body) == (418, b"short")
    assert response.headers["x-kind"] == "teapot"
    await engine.aclose()


@respx.mock
async def test_a_redirect_is_an_answer_and_is_not_followed(engine: HttpxEngine) -> None:
    respx.get(URL).respond(302, headers={"Location": "https://elsewhere.test/"})

    assert (await engine.send(UpstreamRequest("GET", URL, {}))).status == 302
    await engine.aclose()


@respx.mock
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ConnectError(CANARY), Failure.UNREACHABLE),
        (httpx.ReadError(CANARY), Failure.UNREACHABLE),
        (httpx.ReadTimeout(CANARY), Failure.TIMED_OUT),
    ],
)
async def test_what_the_network_does_is_a_typed_failure_without_its_text(
    engine: HttpxEngine, error: httpx.HTTPError, failure: Failure
) -> None:
    respx.get(URL).mock(side_effect=error)

    with pytest.raises(TransportError) as raised:
        await engine.send(UpstreamRequest("GET", URL, {"Authorization": CANARY}))

    assert raised.value.failure is failure
    assert CANARY not in repr(raised.value)
    assert raised.value.__context__ is None
    await engine.aclose()


@respx.mock
@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("application/json; charset=utf-8", Failure.TOO_LARGE),
        ("text/html", Failure.UNREADABLE),
    ],
)
async def test_an_answer_beyond_the_bound_is_refused(
    engine: HttpxEngine, kind: str, failure: Failure
) -> None:
    content = bytes(CONFIG.max_body_bytes + 1)
    respx.get(URL).respond(200, content=content, headers={"content-type": kind})

    with pytest.raises(TransportError) as raised:
        await engine.send(UpstreamRequest("GET", URL, {}))

    assert raised.value.failure is failure
    await engine.aclose()
