"""A local collector of OpenTelemetry traces: OTLP over HTTP, or one that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from typing_extensions import override

from tests.support.local_server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

SERVER_KIND, CLIENT_KIND = 2, 3
STATUS_UNSET, STATUS_ERROR = 0, 2


@dataclass(frozen=True, slots=True)
class CollectedSpan:
    """One span as it arrived.

    Attributes:
        parent_id: empty for a root.
        attributes: texts and numbers by name; our prefix is left out.
        resource: the same for what all spans of its process share.
    """

    name: str
    kind: int
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    status: int
    seconds: float
    attributes: Mapping[str, object]
    resource: Mapping[str, object]


class OtlpCollector(LocalServer):
    """Listens on a free port of this machine while its context is open.

    Attributes:
        hangs: whether it takes requests and never answers.
        status: what it answers.
        bodies: every body it got, uncompressed.
        heads: the header lines beside each.
    """

    def __init__(self, *, hangs: bool = False, status: int = 200) -> None:
        super().__init__()
        self.hangs = hangs
        self.status = status
        self.bodies: list[bytes] = []
        self.heads: list[str] = []

    @property
    def endpoint(self) -> str:
        """Where it takes traces."""
        return f"http://{self.address}/v1/traces"

    @property
    def spans(self) -> list[CollectedSpan]:
        """Every span it took."""
        if self.status != 200:
            return []
        return [span for body in self.bodies for span in _spans(body)]

    @property
    def requests(self) -> list[CollectedSpan]:
        """The spans of requests for secrets; hosts ask for the server's key as well."""
        return [span for span in self.spans if span.name == "get"]

    @property
    def calls(self) -> list[CollectedSpan]:
        """The spans of calls to the store."""
        return [span for span in self.spans if span.kind == CLIENT_KIND]

    @override
    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        body = await reader.readexactly(length)
        self.heads.append(head)
        self.bodies.append(gzip.decompress(body))
        if self.hangs:
            await asyncio.Event().wait()
        answer = ExportTraceServiceResponse().SerializeToString()
        writer.write(
            b"HTTP/1.1 %d Status\r\ncontent-type: application/x-protobuf\r\n"
            b"content-length: %d\r\n\r\n%s" % (self.status, len(answer), answer)
        )
        await writer.drain()


def _spans(body: bytes) -> Iterator[CollectedSpan]:
    for process in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _plain(process.resource.attributes)
        for span in (span for scope in process.scope_spans for span in scope.spans):
            yield CollectedSpan(
                span.name,
                span.kind,
                span.trace_id,
                span.span_id,
                span.parent_span_id,
                span.status.code,
                (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                _plain(span.attributes),
                resource,
            )


def _plain(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {
        pair.key.removeprefix("wasmcloud_secrets."): getattr(
            pair.value, pair.value.WhichOneof("value") or "string_value"
        )
        for pair in pairs
    }
