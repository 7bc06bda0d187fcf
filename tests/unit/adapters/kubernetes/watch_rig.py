"""A watch on an API whose streams a test writes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from adapters.kubernetes.answer import Answer
from adapters.kubernetes.api import KubernetesApi
from adapters.kubernetes.watch import SecretWatch
from adapters.kubernetes.watch_events import METADATA_LIST, error_for_status
from domain.model.errors import StoreUnavailable
from tests.fakes.clock import FakeClock
from tests.support.settling import settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping


OVER = object()


class Opened:
    """One watch that a test feeds.

    Attributes:
        fed: pieces of the body; `OVER` ends it cleanly, an exception breaks it.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.query = query
        self.fed: asyncio.Queue[object] = asyncio.Queue()

    async def pieces(self) -> AsyncIterator[bytes]:
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

    def bookmark(self, version: int) -> None:
        self.send({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}})

    def end(self) -> None:
        self.fed.put_nowait(OVER)

    def cut(self) -> None:
        self.fed.put_nowait(StoreUnavailable("The connection broke."))


def page(*names: str, version: int = 100, more: str = "") -> Answer:
    items = [
        {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "7"}} for name in names
    ]
    metadata = {"resourceVersion": str(version), **({"continue": more} if more else {})}
    return Answer(200, {"metadata": metadata, "items": items})


class FakeApi(KubernetesApi):
    """Attributes: `refusals`, answers to the next watches; `lists`, answers to the next lists: in
    the end the Secret `db`.
    """

    def __init__(self) -> None:
        self.opened: list[Opened] = []
        self.refusals: list[Answer | Exception] = []
        self.lists: list[Answer | Exception] = []
        self.list_queries: list[Mapping[str, str]] = []
        self.idle: list[float] = []

    @override
    @asynccontextmanager
    async def watch(
        self, path: str, query: Mapping[str, str], *, idle_seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        assert path == "/api/v1/namespaces/shop/secrets"
        stream = Opened(query)
        self.opened.append(stream)
        self.idle.append(idle_seconds)
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, Exception):
                raise refusal
            raise error_for_status(refusal.status, refusal.reason, refusal.retry_after)
        yield stream.pieces()

    @override
    async def list(self, path: str, query: Mapping[str, str], *, accept: str) -> Answer:
        assert accept == METADATA_LIST
        self.list_queries.append(query)
        answer = self.lists.pop(0) if self.lists else page("db")
        if isinstance(answer, Exception):
            raise answer
        return answer

    @override
    async def is_there(self) -> bool:
        return not self.refusals


class Rig:
    """Attributes: `changed`, the names of changed Secrets, in order; `draw`, the jitter."""

    def __init__(self, name: str | None = None, lists: Iterable[Answer | Exception] = ()) -> None:
        self.clock = FakeClock()
        self.api = FakeApi()
        self.api.lists += lists
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

    async def stop(self) -> None:
        """End the watch."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def settle(self) -> Opened:
        """Let everything run that can, and return the newest watch."""
        await settle()
        return self.api.opened[-1]

    async def live(self) -> Opened:
        """Return a watch that follows on the list of all that exists: `db`, as of version 100."""
        return await self.settle()
