"""Caller-bound reads from Vault that no cache answers: each request carries a login of its own."""

from __future__ import annotations

import base64
import json
import os
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from adapters.crypto.xkeys import SodiumKeyExchange, SodiumXKeyPair
from adapters.nats.headers import SERVER_RESPONSE_XKEY
from adapters.nats.subjects import SecretsSubjects
from benchmarks.cold_reads import LATENCY_SECONDS, RUNS, ColdRun, Peer, add_row
from benchmarks.figures import MILLISECONDS
from benchmarks.load import INBOX, LoadConnection
from benchmarks.recorded_vault import RecordedVault
from benchmarks.report import Section
from benchmarks.sealed_requests import HOST_XKEYS, HostXKey, Requester, frames
from benchmarks.service import MeasuredService
from benchmarks.stage import WrongAnswerError
from bootstrap.local.nats_server import LocalNatsServer
from domain.model.transport import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import LoadResult

HOSTS: Final = 64
CONNECTIONS: Final = 16
COMPONENTS: Final = 256
PEER: Final = Peer("secrets-vault", (53.0, 213.0), calls=2)
"""Measured at 64 hosts right beside a real OpenBao 2.6.2: a login and a read for each request."""

_EXPECTED: Final = '{"password":"pw-three","username":"demo"}'
_DER: Final = bytes.fromhex("302e020100300506032b657004220420")


async def measure(settings: Mapping[str, str], *, requests: int) -> Section:
    """Have every component on every host ask for its own secret, again and again."""
    section = Section(
        f"Vault, logins of callers, no cache, {LATENCY_SECONDS * MILLISECONDS:.0f} ms away, "
        f"{HOSTS} hosts"
    )
    for workers, latency in RUNS:
        run = await _run(settings, requests, workers, latency)
        add_row(section, PEER, run, workers, latency)
    return section


async def _run(settings: Mapping[str, str], requests: int, workers: int, latency: float) -> ColdRun:
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="bench-")))
        nats = await opened.enter_async_context(LocalNatsServer())
        vault = await opened.enter_async_context(RecordedVault(latency))
        xkey, requesters = SodiumXKeyPair.generate(), [Requester() for _ in range(COMPONENTS)]
        _write_key(folder / "keys.pem")
        environment = {
            "NATS_URL": nats.url,
            "SECRET_STORE": "vault",
            "VAULT_ADDR": vault.url,
            "VAULT_LOGIN": "caller",
            "VAULT_ROLE": "demo",
            "VAULT_JWT_KEY_FILE": str(folder / "keys.pem"),
            "VAULT_PUBLISH_JWT_KEYS": "false",
            "VAULT_MAX_CONNECTIONS": str(CONNECTIONS // workers),
            "SERVER_XKEY_SEED": xkey.seed_text(),
            "TRUSTED_ISSUERS": ",".join(requester.issuer.public for requester in requesters),
            "WORKERS": str(workers),
            **settings,
            "CACHE_TTL_SECONDS": "0",
        }
        service = await opened.enter_async_context(MeasuredService(environment, folder))
        load = await LoadConnection.open(nats.port)
        opened.callback(load.close)
        hosts = [HostXKey(xkey.public) for _ in range(HOST_XKEYS)]
        plain = [
            requester.ask(f"components/{number}/db") for number, requester in enumerate(requesters)
        ]
        subject = SecretsSubjects(backend="vault").of(Operation.GET)
        asked = [plain[number % COMPONENTS] for number in range(requests)]
        await load.run(frames(hosts, plain, subject, INBOX), HOSTS)
        before, cpu = vault.calls, service.cpu_seconds()
        result = await load.run(frames(hosts, asked, subject, INBOX), HOSTS)
        _check(result, hosts)
        return ColdRun(result, vault.calls - before, vault.connections, service.cpu_seconds() - cpu)


def _check(result: LoadResult, hosts: list[HostXKey]) -> None:
    if not result.answered or result.errors:
        raise WrongAnswerError("; ".join(result.errors) or "no answer")
    number, head, body = result.last
    name, _, xkey = head.decode().splitlines()[1].partition(": ")
    pair = hosts[number % len(hosts)].pair
    secret = json.loads(pair.open(body, SodiumKeyExchange().parse_public(xkey)))["secret"]
    if name != SERVER_RESPONSE_XKEY or secret["string_secret"] != _EXPECTED:
        raise WrongAnswerError(name)


def _write_key(file: Path) -> None:
    body = base64.b64encode(_DER + os.urandom(32)).decode("ascii")
    file.write_text(f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n", "ascii")
