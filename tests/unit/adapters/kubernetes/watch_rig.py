"""A watch on an API whose streams a test writes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from adapters.kubernetes.answer import Answer
from adapters.kubernetes.api import Stream, WatchApi
from adapters.kubernetes.watch import SecretWatch
from adapters.kubernetes.watch_events import METADATA_LIST
from domain.model.errors import StoreUnavailable
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


OVER = object()


class Opened(Stream):
    """One watch that a test feeds.

    Attributes:
        fed: pieces of the body; `OVER` ends it cleanly, an exception breaks it.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.query = query
        self.fed: asyncio.Queue[object] = asyncio.Queue()
        super().__init__(Answer(200, {}), self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        while (piece := await self.fed.get()) is not OVER:
            if isinstance(piece, Exception):
                raise piece
            assert isinstance(piece, bytes)
            yield piece

    def send(self, *lines: dict[str, Any]) -> None:
        for line in lines:
            self.fed.put_nowait(json.dumps(line).encode() + b"\n")

    def event(self, kind: str, name: str, version: int) -> None:
        metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
        self.send({"type": kind, "object": {"metadata": metadata}})

    def bookmark(self, version: int, **annotations: str) -> None:
        marks = {"k8s.io/initial-events-end": "true"} if annotations else {}
        metadata = {"resourceVersion": str(version), "annotations": marks}
        self.send({"type": "BOOKMARK", "object": {"metadata": metadata}})

    def complete(self, version: int = 100) -> None:
        self.bookmark(version, end="true")

    def end(self) -> None:
        self.fed.put_nowait(OVER)

    def cut(self) -> None:
        self.fed.put_nowait(StoreUnavailable("The connection broke."))


class FakeApi(WatchApi):
    """Attributes: `refusals`, answers to the next watches; `lists`, answers to the next lists."""

    def __init__(self) -> None:
        self.opened: list[Opened] = []
        self.refusals: list[Answer | Exception] = []
        self.lists: list[Answer] = []
        self.list_queries: list[Mapping[str, str]] = []
        self.idle: list[float] = []
        self.accepts: list[str] = []

    @override
    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, str], *, accept: str, idle_seconds: float
    ) -> AsyncIterator[Stream]:
        assert path == "/api/v1/namespaces/shop/secrets"
        stream = Opened(query)
        self.opened.append(stream)
        self.idle.append(idle_seconds)
        self.accepts.append(accept)
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, Exception):
                raise refusal
            stream.answer = refusal
        yield stream

    @override
    async def get(self, path: str, query: Mapping[str, str], *, accept: str) -> Answer:
        assert accept == METADATA_LIST
        self.list_queries.append(query)
        return self.lists.pop(0)

    @override
    async def is_there(self) -> bool:
        return not self.refusals


class Rig:
    """Attributes: `changed`, the names of changed Secrets, in order; `draw`, the jitter."""

    def __init__(self, name: str | None = None) -> None:
        self.clock = FakeClock()
        self.api = FakeApi()
        self.changed: list[str] = []
        self.draw = 0.0
        self.watch = SecretWatch(
            self.api,
            "shop",
            name,
            clock=self.clock,
            jitter=lambda: self.draw,
            on_changed=self.changed.extend,
        )
        self.task = asyncio.create_task(self.watch.run())

    async def settle(self) -> Opened:
        """Let everything run that can, and return the newest watch."""
        await settle()
        return self.api.opened[-1]

    async def live(self) -> Opened:
        """Return a watch whose initial events are over."""
        stream = await self.settle()
        stream.event("ADDED", "db", 7)
        stream.complete()
        await self.settle()
        return stream
