"""The console without a socket, before a client of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from adapters.console.app import Console
from adapters.console.feed import RequestFeed
from domain.model.audit import AuditEvent, Outcome
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.clock import FakeClock
from tests.fakes.console_sources import FakeSources

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = "http://127.0.0.1:9090"
HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>{{ 7*7 }}</textarea>"
PAGES = ("", "/requests", "/store", "/policy", "/keys", "/reasons", "/explain")


def event(
    key: str = "KEY", *, reason: str = "granted", name: str = "checkout", number: int = 1
) -> AuditEvent:
    """Return the event of one request."""
    refused = reason != "granted"
    entity = Claims(
        IdentityKind.COMPONENT, SubjectKey("M" * 56), AccountKey("A" * 56), "t", 1, name=name
    )
    host = Claims(IdentityKind.HOST, SubjectKey("N" * 56), AccountKey("N" * 56), "t", 1)
    return AuditEvent(
        f"request-{number}",
        "get",
        1000.0,
        time=1_800_000_000.0,
        duration=0.0025,
        outcome=Outcome.REFUSED if refused else Outcome.ANSWERED,
        reason=reason,
        error="Unauthorized" if refused else None,
        advice="See the record." if refused else None,
        caller=Caller(entity, host, "shop"),
        key=key,
        served_from=None if refused else "store",
    )


class Stage:
    """A console, its sources and a client."""

    def __init__(self, text: str = "plain", *, workers: int = 1, client: str = "127.0.0.1") -> None:
        self.clock = FakeClock()
        self.sources = FakeSources(text, workers=workers)
        self.audit = FakeAuditTrail()
        self.feed = RequestFeed(self.audit)
        self.console = Console(self.sources, self.feed, self.clock)
        transport = httpx.ASGITransport(self.console.app, client=(client, 50_000))
        self.client = httpx.AsyncClient(transport=transport, base_url=HERE)

    async def get(self, path: str = "", headers: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.client.get(f"/console{path}", headers=headers)

    async def ask(
        self, members: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send the form as a browser does."""
        sent = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": HERE,
            "sec-fetch-site": "same-origin",
        }
        return await self.client.post(
            "/console/explain", content=urlencode(members), headers={**sent, **(headers or {})}
        )
