"""Reads of Kubernetes Secrets that no cache answers, and how soon a watched change is served."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from adapters.crypto.xkeys import SodiumKeyExchange, SodiumXKeyPair
from adapters.nats.headers import SERVER_RESPONSE_XKEY
from adapters.nats.subjects import SecretsSubjects
from benchmarks.cold_reads import LATENCY_SECONDS, RUNS, ColdRun, Peer, add_row
from benchmarks.figures import MILLISECONDS, percentile
from benchmarks.load import INBOX, LoadConnection
from benchmarks.recorded_kubernetes import READ, RecordedKubernetes
from benchmarks.report import Row, Section
from benchmarks.sealed_requests import HOST_XKEYS, HostXKey, Requester, frames
from benchmarks.service import MeasuredService
from benchmarks.stage import WrongAnswerError
from bootstrap.local.nats_server import LocalNatsServer
from domain.model.transport import Operation
from tests.support.kubernetes_model import TOKEN
from tests.support.kubernetes_server import KubernetesServer, recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import LoadResult

HOSTS: Final = 64
CONNECTIONS: Final = 32
SECRETS: Final = 256
PEER: Final = Peer("secrets-kubernetes", (190.0, 237.0), calls=1)
"""Measured at 64 hosts right beside a real API server: one call for each request."""

CHANGES: Final = 20


async def measure(settings: Mapping[str, str], *, requests: int) -> Section:
    """Have 64 hosts ask for 256 Secrets in turn, then change one that is watched."""
    section = Section(
        f"Kubernetes, no cache, {LATENCY_SECONDS * MILLISECONDS:.0f} ms away, {HOSTS} hosts"
    )
    for workers, latency in RUNS:
        run = await _read(settings, requests, workers, latency)
        add_row(section, PEER, run, workers, latency)
    ages = await _watch(settings)
    p50, longest = percentile(ages, 0.5), max(ages)
    section.rows.append(
        Row(
            f"a cached value after a change, watched, {CHANGES} changes",
            f"{p50 * MILLISECONDS:.0f} ms",
            f"{longest * MILLISECONDS:.0f} ms at most from the write to the new value",
        )
    )
    section.figures["watch"] = {"p50_ms": p50 * MILLISECONDS, "max_ms": longest * MILLISECONDS}
    return section


async def _read(
    settings: Mapping[str, str], requests: int, workers: int, latency: float
) -> ColdRun:
    async with AsyncExitStack() as opened:
        api = await opened.enter_async_context(RecordedKubernetes(latency))
        extra = {
            "WORKERS": str(workers),
            "KUBERNETES_MAX_CONNECTIONS": str(CONNECTIONS // workers),
            **settings,
            "CACHE_TTL_SECONDS": "0",
        }
        service, load, hosts, requester = await _service(opened, api.url, extra)
        plain = [requester.ask(f"s-{number}/password") for number in range(SECRETS)]
        subject = SecretsSubjects(backend="kube").of(Operation.GET)
        asked = [plain[number % SECRETS] for number in range(requests)]
        await load.run(frames(hosts, plain, subject, INBOX), HOSTS)
        before, cpu = api.calls, service.cpu_seconds()
        result = await load.run(frames(hosts, asked, subject, INBOX), HOSTS)
        expected = recording(READ)["response"]["body"]["data"]["password"]
        if _opened(result, hosts).encode() != b64decode(expected):
            raise WrongAnswerError("another value")
        return ColdRun(result, api.calls - before, api.connections, service.cpu_seconds() - cpu)


async def _watch(settings: Mapping[str, str]) -> list[float]:
    """Return the seconds from each write until a request got the value written."""
    ages: list[float] = []
    async with AsyncExitStack() as opened:
        api = await opened.enter_async_context(KubernetesServer())
        api.model.put("shop", "s-0", {"password": "before"})
        extra = {**settings, "KUBERNETES_WATCH": "true", "CACHE_TTL_SECONDS": "600"}
        _, load, hosts, requester = await _service(opened, api.url, extra)
        subject = SecretsSubjects(backend="kube").of(Operation.GET)

        async def served() -> str:
            asked = [requester.ask("s-0/password")]
            return _opened(await load.run(frames(hosts, asked, subject, INBOX), 1), hosts)

        await served()
        await asyncio.sleep(1.0)
        for number in range(CHANGES):
            written = f"value-{number}"
            began = time.perf_counter()
            api.model.put("shop", "s-0", {"password": written})
            while await served() != written:
                pass
            ages.append(time.perf_counter() - began)
    return ages


async def _service(
    opened: AsyncExitStack, url: str, extra: Mapping[str, str]
) -> tuple[MeasuredService, LoadConnection, list[HostXKey], Requester]:
    folder = Path(opened.enter_context(TemporaryDirectory(prefix="bench-")))
    nats = await opened.enter_async_context(LocalNatsServer())
    token = folder / "token"
    token.write_text(TOKEN)
    xkey, requester = SodiumXKeyPair.generate(), Requester()
    environment = {
        "NATS_URL": nats.url,
        "SECRET_STORE": "kubernetes",
        "BACKEND_NAME": "kube",
        "KUBERNETES_API_URL": url,
        "KUBERNETES_TOKEN_FILE": str(token),
        "KUBERNETES_NAMESPACE": "shop",
        "SERVER_XKEY_SEED": xkey.seed_text(),
        "TRUSTED_ISSUERS": requester.issuer.public,
        **extra,
    }
    service = await opened.enter_async_context(MeasuredService(environment, folder))
    load = await LoadConnection.open(nats.port)
    opened.callback(load.close)
    return service, load, [HostXKey(xkey.public) for _ in range(HOST_XKEYS)], requester


def _opened(result: LoadResult, hosts: list[HostXKey]) -> str:
    if not result.answered or result.errors:
        raise WrongAnswerError("; ".join(result.errors) or "no answer")
    number, head, body = result.last
    name, _, xkey = head.decode().splitlines()[1].partition(": ")
    if name != SERVER_RESPONSE_XKEY:
        raise WrongAnswerError(name)
    pair = hosts[number % len(hosts)].pair
    secret = json.loads(pair.open(body, SodiumKeyExchange().parse_public(xkey)))["secret"]
    return str(secret["string_secret"])
