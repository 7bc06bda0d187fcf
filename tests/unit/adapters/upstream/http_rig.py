"""`UpstreamHttp` over a fake engine, with time and chance in the test's hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.upstream.config import UpstreamConfig
from adapters.upstream.engine import Failure, TransportError
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.message import UpstreamResponse
from tests.fakes.clock import FakeClock
from tests.fakes.http_engine import JSON, FakeHttpEngine

if TYPE_CHECKING:
    from typing import Any

    from adapters.upstream.message import UpstreamRequest

CONFIG = UpstreamConfig(
    name="Store",
    code="store",
    base_url="https://store.test/base",
    url_setting="STORE_URL",
    ca_setting="STORE_CA_FILE",
)
PAGE = UpstreamResponse(200, {"content-type": "text/html"}, b"<html>")


def answer(status: int = 200, document: object = None, **headers: str) -> UpstreamResponse:
    """Return a JSON response; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return UpstreamResponse(status, {**JSON, **named}, json.dumps(document or {}).encode())


def broken(failure: Failure = Failure.UNREACHABLE, **known: bool) -> TransportError:
    return TransportError(failure, "Kind", **known)


class HttpRig:
    """Attributes: `script`, what the next requests get, `answer()` once it is used up."""

    def __init__(self, *script: UpstreamResponse | TransportError, **config: Any) -> None:
        self.clock = FakeClock()
        self.script = list(script)
        self.engine = FakeHttpEngine(self._next)
        self.draw = 0.0
        self.http = UpstreamHttp(
            replace(CONFIG, **config), self.clock, lambda: self.draw, engine=self.engine
        )

    def _next(self, _request: UpstreamRequest) -> UpstreamResponse | TransportError:
        return self.script.pop(0) if self.script else answer()

    async def get(self, path: str = "/x", *, seconds: float = 8.0, **more: Any) -> UpstreamResponse:
        deadline = self.clock.monotonic() + seconds
        return await self.http.request("GET", path, deadline=deadline, **more)

    @property
    def attempts(self) -> int:
        return len(self.engine.requests)
