"""The endpoint for plug-ins, without TLS: whose word counts, what is malformed, and its bound."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from adapters.wasmcloud2.plugin_app import CertifiedHost, PluginApp, certified_host
from tests.support.workloads import CART, Reads

HOST = {"subjectAltName": (("URI", f"wasmcloud-host://{CART.environment}/host-1"),)}
ASKED = {"namespace": CART.namespace, "workload": CART.name, "reference": "secret://db"}


class Rig:
    """The application on fakes, asked as uvicorn asks it."""

    def __init__(self, max_in_flight: int = 8) -> None:
        self.reads = Reads()
        self.reads.store.put("/db", "välue")
        self.app = PluginApp(
            self.reads.read, self.reads.clock, timeout_seconds=8, max_in_flight=max_in_flight
        )

    async def get(
        self, query: Any = ASKED, certificate: Any = HOST, method: str = "GET"
    ) -> httpx.Response:
        async def with_certificate(scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = {"peer_certificate": certificate}
            await self.app(scope, receive, send)

        transport = httpx.ASGITransport(with_certificate)
        async with httpx.AsyncClient(transport=transport, base_url="https://test") as client:
            written = query if isinstance(query, str) else urlencode(query)
            return await client.request(method, f"/v1/secret?{written}")

    def sample(self, name: str) -> float:
        return next(sample.value for sample in self.app.samples() if sample.name == name)


async def test_the_value_is_the_body_and_is_kept_by_no_cache() -> None:
    answer = await Rig().get()

    assert (answer.status_code, answer.content) == (200, "välue".encode())
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "query",
    [
        "",
        {**ASKED, "environment": "prod"},
        {**ASKED, "namespace": ""},
        {**ASKED, "workload": "a\nb"},
        {**ASKED, "workload": "x" * 300},
        {name: text for name, text in ASKED.items() if name != "workload"},
        [*ASKED.items(), ("workload", "other")],
        "namespace=%ff&workload=cart&reference=secret%3A%2F%2Fdb",
    ],
)
async def test_a_query_of_another_form_is_refused_without_a_read(query: Any) -> None:
    rig = Rig()

    answer = await rig.get(query)

    assert answer.status_code == 400
    assert "Give each of namespace, reference, workload once" in answer.text
    assert rig.reads.audit.events == []
    assert rig.sample("plugin_requests_refused_total") == 1


async def test_only_a_get_is_answered() -> None:
    assert (await Rig().get(method="POST")).status_code == 404


async def test_further_requests_are_refused_while_as_many_as_allowed_are_under_way() -> None:
    rig = Rig(max_in_flight=1)
    rig.reads.store.gate.clear()
    first = asyncio.create_task(rig.get())
    await rig.reads.store.asked.wait()

    assert rig.sample("plugin_requests_in_flight") == 1
    assert (await rig.get()).status_code == 503
    rig.reads.store.gate.set()
    assert (await first).status_code == 200
    assert rig.sample("plugin_requests_in_flight") == 0


async def test_a_service_that_stops_takes_no_more() -> None:
    rig = Rig()
    rig.app.is_stopping = True

    assert (await rig.get()).status_code == 503


def test_a_host_is_named_by_the_one_uri_of_its_certificate() -> None:
    names = (("DNS", "host-1"), ("URI", "spiffe://x/y"), *HOST["subjectAltName"])

    assert certified_host({"subjectAltName": names}) == CertifiedHost(CART.environment, "host-1")


@pytest.mark.parametrize(
    "names",
    [
        (),
        (("DNS", "wasmcloud-host://prod/host-1"),),
        (("URI", "wasmcloud-host://prod/"),),
        (("URI", "wasmcloud-host://prod/a/b"),),
        (("URI", "wasmcloud-host://pr%6Fd/a"),),
        (("URI", "wasmcloud-host://*/a"),),
        (("URI", "wasmcloud-host://prod/a\n"),),
        (("URI", "wasmcloud-host://prod/a"), ("URI", "wasmcloud-host://test/a")),
        (("URI", "wasmcloud-host://prod/a"), ("URI", "wasmcloud-host:test")),
    ],
)
def test_any_other_name_and_several_of_them_are_none(names: Any) -> None:
    assert certified_host({"subjectAltName": names}) is None
    assert certified_host(None) is None
