"""Reads for wasmCloud 2, as a collector sees them of an agent that is a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.projection.conftest import Projection
from tests.support.kv_secrets import KvSecrets
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.support.otlp_collector import OtlpCollector


async def test_each_read_is_a_trace_with_the_call_to_the_store_below_it(
    collector: OtlpCollector, fresh_nats_server: LocalNatsServer, tmp_path: Path
) -> None:
    async with KvSecrets(fresh_nats_server.url, tmp_path) as kv:
        await kv.put("db", "s3cr3t-db-1")
        projection = Projection(kv, tmp_path)
        async with projection.agent(TRACES_ENDPOINT=collector.endpoint):
            await until(lambda: "db-password" in projection.files)

    reads = {span.span_id: span for span in collector.spans if span.name == "workload.read"}
    calls = [span for span in collector.spans if span.name == "fetch nats-kv"]
    assert {span.attributes["outcome"] for span in reads.values()} == {"answered", "refused"}
    assert {span.parent_id for span in calls} == reads.keys()
    assert not any("key" in span.attributes for span in reads.values())
    assert not any(b"s3cr3t" in body for body in collector.bodies)
