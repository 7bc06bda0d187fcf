"""NATS KV beside wasmCloud's own secrets-nats-kv: one bucket, one load, in turns."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.subjects import SecretsSubjects
from benchmarks.figures import MILLISECONDS, percentile
from benchmarks.load import INBOX, LoadConnection
from benchmarks.nats_kv_peer import BUCKET, NAME, NatsKvPeer, answers
from benchmarks.report import Row, Section
from benchmarks.sealed_requests import HOST_XKEYS, HostXKey, Requester, frames
from benchmarks.service import MeasuredService
from benchmarks.stage import secret_name, secret_value
from bootstrap.local.nats_server import LocalNatsServer
from domain.model.transport import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import LoadResult

HOSTS: Final = (1, 64, 512)
SECRETS: Final = 20
ROUNDS: Final = 3
_OURS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("no cache", {"CACHE_TTL_SECONDS": "0"}),
    ("cached", {}),
)
_MEBIBYTE: Final = 1024 * 1024


class _Backend(NamedTuple):
    title: str
    subject: str
    process: NatsKvPeer | MeasuredService
    ready: float
    found: dict[int, list[tuple[LoadResult, float]]]


async def measure(settings: Mapping[str, str], binary: Path, *, requests: int) -> Section:
    """Have 1, 64 and 512 hosts ask each backend in turn for 20 secrets of one bucket."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="bench-")))
        server = await opened.enter_async_context(LocalNatsServer(jetstream=True))
        sealing, xkey, requester = SodiumXKeyPair.generate(), SodiumXKeyPair.generate(), Requester()
        seeds = {"ENCRYPTION_XKEY_SEED": sealing.seed_text()}
        transit = {**seeds, "TRANSIT_XKEY_SEED": xkey.seed_text()}
        peer = await opened.enter_async_context(NatsKvPeer(binary, server.port, transit))
        names = [secret_name(number) for number in range(SECRETS)]
        for name in names:
            await peer.put(name, secret_value(name))
        await peer.allow(requester.keys[0], *names)
        backends = [_Backend("secrets-nats-kv", _subject(NAME), peer, peer.seconds_to_ready, {})]
        for title, more in _OURS:
            backend = title.replace(" ", "-")
            place = folder / backend
            place.mkdir()
            environment = {
                **settings,
                **seeds,
                "NATS_URL": server.url,
                "SECRET_STORE": "nats-kv",
                "NATS_KV_BUCKET": BUCKET,
                "BACKEND_NAME": backend,
                "SERVER_XKEY_SEED": xkey.seed_text(),
                "TRUSTED_ISSUERS": requester.issuer.public,
                **more,
            }
            began = time.perf_counter()
            service = await opened.enter_async_context(MeasuredService(environment, place))
            await answers(f"127.0.0.1:{server.port}", backend)
            ready = time.perf_counter() - began
            backends.append(_Backend(f"this, {title}", _subject(backend), service, ready, {}))
        load = await LoadConnection.open(server.port)
        opened.callback(load.close)
        hosts = [HostXKey(xkey.public) for _ in range(HOST_XKEYS)]
        for count in HOSTS:
            number = requests if count > 1 else requests // 4
            for _ in range(ROUNDS):
                for backend_ in backends:
                    asked = [requester.ask(names[n % SECRETS]) for n in range(number)]
                    before = backend_.process.cpu_seconds()
                    result = await load.run(frames(hosts, asked, backend_.subject, INBOX), count)
                    cpu = (backend_.process.cpu_seconds() - before) / number
                    backend_.found.setdefault(count, []).append((result, cpu))
        return _section(backends)


def _subject(backend: str) -> str:
    return SecretsSubjects(backend=backend).of(Operation.GET)


def _section(backends: list[_Backend]) -> Section:
    section = Section(
        "NATS KV beside secrets-nats-kv, one bucket, in turns, the median of 3 rounds"
    )
    first = backends[0]
    for count in HOSTS:
        for backend in backends:
            speed, cpu = _medians(backend, count)
            other, other_cpu = _medians(first, count)
            slow = median(percentile(result.latencies, 0.99) for result, _ in backend.found[count])
            failed = sum(len(r.latencies) - r.answered for r, _ in backend.found[count])
            section.rows.append(
                Row(
                    f"{count} host{'s' if count > 1 else ''}, {backend.title}: "
                    f"p99 {slow * MILLISECONDS:.1f} ms, CPU {cpu * MILLISECONDS:.2f} ms each, "
                    f"{failed} failures",
                    f"{speed:,.0f} a second",
                    f"{speed / other:.1f} x, CPU {cpu / other_cpu:.2f} x",
                )
            )
            section.figures[f"{backend.title}, {count}"] = {
                "a_second": speed,
                "p99_ms": slow * MILLISECONDS,
                "cpu_ms": cpu * MILLISECONDS,
                "failures": failed,
            }
    for backend in backends:
        memory = backend.process.resident_bytes() / _MEBIBYTE
        section.rows.append(
            Row(
                f"{backend.title}: resident after all",
                f"{memory:.0f} MiB",
                f"ready in {backend.ready:.2f} s",
            )
        )
        section.figures[backend.title] = {"resident_mib": memory, "ready_s": backend.ready}
    return section


def _medians(backend: _Backend, hosts: int) -> tuple[float, float]:
    rounds = backend.found[hosts]
    return median(result.a_second for result, _ in rounds), median(cpu for _, cpu in rounds)
