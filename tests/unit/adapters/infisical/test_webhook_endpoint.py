"""The route as Infisical meets it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from adapters.admin_http.app import StoreRoutes
from adapters.infisical.settings import WEBHOOK_PATH
from adapters.infisical.webhook import MAX_BODY_BYTES, InfisicalWebhook
from adapters.infisical.webhook_signature import WebhookVerifier
from domain.model.selection import Selection
from ports.transport import ChannelError
from tests.fakes.clock import FakeClock
from tests.support.settling import settle
from tests.unit.adapters.infisical.infisical_webhooks import (
    NOW_MS,
    SECRET_KEY,
    body,
    header,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Endpoint:
    """The application, what was announced, and whether the other processes can be told."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW_MS / 1000)
        self.changes: list[Selection] = []
        self.away = False
        verifier = WebhookVerifier(SECRET_KEY, self.clock, max_remembered=2)
        webhook = InfisicalWebhook(verifier, self._changed)
        pages = PlainTextResponse("pages", status_code=404)
        self.app = StoreRoutes([webhook.route()], pages, self.clock)

    async def _changed(self, selection: Selection) -> None:
        self.changes.append(selection)
        if self.away:
            raise ChannelError("NATS is away.", reason="disconnected")

    async def post(self, content: bytes | AsyncIterator[bytes], *signatures: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            headers = [("x-infisical-signature", text) for text in signatures]
            return await client.post(WEBHOOK_PATH, content=content, headers=headers)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


async def test_a_notice_is_taken_with_204(endpoint: Endpoint) -> None:
    raw = body()

    with capture_logs() as log:
        response = await endpoint.post(raw, header(raw))

    assert (response.status_code, response.content) == (204, b"")
    assert endpoint.changes == [
        Selection.below("/payments", (("environment", "prod"), ("project_id", "p-1")))
    ]
    assert [(entry["event"], entry["folder"]) for entry in log] == [
        ("change_notice.received", "/payments")
    ]


@pytest.mark.parametrize(
    ("event", "logged"),
    [
        ("test", "change_notice.test_received"),
        ("secrets.rotation-failed", "change_notice.rotation_failed"),
        ("brand.new", "change_notice.event_ignored"),
    ],
)
async def test_events_that_change_nothing_are_taken_and_only_logged(
    endpoint: Endpoint, event: str, logged: str
) -> None:
    raw = body(event, errorMessage="canary")

    with capture_logs() as log:
        response = await endpoint.post(raw, header(raw))

    assert response.status_code == 204
    assert endpoint.changes == []
    assert [entry["event"] for entry in log] == [logged]
    assert "canary" not in str(log)


def _refused(response: httpx.Response) -> tuple[int, str]:
    answer: dict[str, Any] = response.json()
    assert answer.keys() == {"error", "advice"}
    assert answer["advice"].endswith(".")
    return response.status_code, answer["error"]


async def test_an_unsigned_or_doubly_signed_body_is_refused(endpoint: Endpoint) -> None:
    raw = body()

    assert _refused(await endpoint.post(raw)) == (401, "signature_invalid")
    signed = header(raw)
    assert _refused(await endpoint.post(raw, signed, signed)) == (401, "signature_invalid")
    assert endpoint.changes == []


async def test_a_tampered_body_is_refused_and_logged_without_it(endpoint: Endpoint) -> None:
    with capture_logs() as log:
        response = await endpoint.post(body(secretPath="/canary"), header(body()))

    assert _refused(response) == (401, "signature_invalid")
    assert "canary" not in f"{log}{response.text}"
    assert [entry["event"] for entry in log] == ["change_notice.webhook_refused"]


async def test_a_replay_an_old_one_and_one_too_many_are_told_apart(endpoint: Endpoint) -> None:
    raw, old, other, third = body(), body(at=NOW_MS - 301_000), body("test"), body("third")
    await endpoint.post(raw, header(raw))

    assert _refused(await endpoint.post(raw, header(raw))) == (409, "replayed")
    assert _refused(await endpoint.post(old, header(old, NOW_MS - 301_000))) == (
        401,
        "outside_window",
    )
    await endpoint.post(other, header(other))
    assert _refused(await endpoint.post(third, header(third))) == (503, "too_many")
    assert len(endpoint.changes) == 1


async def test_a_signed_body_of_another_shape_is_refused(endpoint: Endpoint) -> None:
    raw = body(secretPath="/a/../b")

    assert _refused(await endpoint.post(raw, header(raw))) == (422, "body_malformed")


async def test_a_huge_body_is_refused_before_all_of_it_is_read(endpoint: Endpoint) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY_BYTES:
            sent += 4096
            yield b" " * 4096

    response = await endpoint.post(endless())

    assert _refused(response) == (413, "body_too_large")
    assert response.headers["connection"] == "close"
    assert sent <= MAX_BODY_BYTES + 2 * 4096


async def test_the_largest_body_is_still_verified(endpoint: Endpoint) -> None:
    raw = body(note="x" * (MAX_BODY_BYTES - len(body(note=""))))
    assert len(raw) == MAX_BODY_BYTES

    assert (await endpoint.post(raw, header(raw))).status_code == 204


async def test_a_body_that_stops_coming_is_given_up(endpoint: Endpoint) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    posting = asyncio.create_task(endpoint.post(stalled()))
    await settle()
    endpoint.clock.advance(5)

    assert _refused(await posting) == (408, "body_incomplete")


async def test_a_notice_that_cannot_be_spread_is_shown_to_infisical_as_failed(
    endpoint: Endpoint,
) -> None:
    endpoint.away = True
    raw = body()

    assert _refused(await endpoint.post(raw, header(raw))) == (503, "disconnected")


async def test_there_is_nothing_to_get(endpoint: Endpoint) -> None:
    transport = httpx.ASGITransport(app=endpoint.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
        assert (await client.get(WEBHOOK_PATH)).status_code == 405
        assert (await client.post(WEBHOOK_PATH + "/")).text == "pages"
