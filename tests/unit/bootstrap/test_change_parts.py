"""What orders to forget mean for the cache, and how a replica is named in its answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from adapters.cache.config import CacheConfig
from adapters.cache.store import CachedSecretStore
from adapters.change_notice.messages import is_name
from bootstrap.admin_parts import ServingState
from bootstrap.change_parts import KeptValues, replica_name
from bootstrap.containers import Container
from bootstrap.factories.changes import absent_pages, with_webhook
from bootstrap.server_keys import load_service_keys
from bootstrap.settings import Settings
from domain.model.reference import SecretLocation, SecretQuery
from domain.model.selection import Selection
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.secret_store import FakeSecretStore
from tests.support.environments import infisical_environment
from tests.unit.adapters.change_notice.infisical_webhooks import KEY, body, header

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PROD = (("environment", "prod"),)


@pytest.mark.parametrize(
    ("selection", "forgotten"),
    [
        (Selection.everything(), 3),
        (Selection.everything((("environment", "dev"),)), 0),
        (Selection.below("/payments"), 2),
        (Selection.below("/payments", PROD), 2),
        (Selection.one("/payments/KEY"), 1),
        (Selection.one("/payments/KEY", PROD), 1),
        (Selection.one("/payments"), 0),
    ],
)
async def test_what_is_selected_is_forgotten_and_counted(
    selection: Selection, forgotten: int
) -> None:
    clock = FakeClock()
    store = FakeSecretStore()
    cache = CachedSecretStore(store, CacheConfig(), clock, lambda: 0.0)
    for path in ("/payments/KEY", "/payments/live/KEY", "/paymentsKEY"):
        store.put(path, "value")
        location = SecretLocation(path, PROD)
        await cache.fetch(SecretQuery(location, None, CALLER, clock.monotonic() + 8))

    assert KeptValues(cache).invalidate(selection) == forgotten
    assert cache.statistics().entries == 3 - forgotten


@pytest.mark.parametrize("host", ["node-1.example.com", "büro pc", "h" * 300, ""])
def test_a_replicas_name_can_stand_in_a_message(host: str) -> None:
    assert is_name(replica_name(host))
    assert is_name(replica_name())


def app_with_webhook(serving: ServingState, **variables: Any) -> ASGIApp:
    given = infisical_environment() | {"ADMIN_ADDR": ":9090"} | variables
    settings = Settings.model_validate({name.lower(): text for name, text in given.items()})
    built = Container(settings=settings, keys=load_service_keys(settings))

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("pages", status_code=405)(scope, receive, send)

    return with_webhook(pages, settings, built.changes(), serving, FakeClock())


def absent(**variables: Any) -> dict[str, str]:
    given = infisical_environment() | {"ADMIN_ADDR": ":9090"} | variables
    return absent_pages(
        Settings.model_validate({name.lower(): text for name, text in given.items()})
    )


async def post(app: ASGIApp, path: str) -> httpx.Response:
    raw = body()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://admin"
    ) as client:
        return await client.post(path, content=raw, headers={"x-infisical-signature": header(raw)})


async def test_only_the_webhooks_path_takes_a_body() -> None:
    app = app_with_webhook(ServingState(), INFISICAL_WEBHOOK_KEY=KEY)

    other = await post(app, "/readyz")

    assert (other.status_code, other.text) == (405, "pages")


async def test_without_a_key_there_is_no_such_path_and_the_key_is_named() -> None:
    response = await post(app_with_webhook(ServingState()), "/webhooks/infisical")

    assert response.text == "pages"
    assert "INFISICAL_WEBHOOK_KEY" in absent()["/webhooks/infisical"]
    assert absent(INFISICAL_WEBHOOK_KEY=KEY) == {}


async def test_a_webhook_that_comes_while_it_is_starting_is_told_so() -> None:
    app = app_with_webhook(ServingState(), INFISICAL_WEBHOOK_KEY=KEY)

    async with asyncio.timeout(5):
        response = await post(app, "/webhooks/infisical")

    assert response.status_code == 503
    assert response.json()["error"] == "disconnected"
