"""Everything a measurement runs on: a real nats-server, an upstream, the service and its load."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adapters.crypto.xkeys import SodiumKeyExchange, SodiumXKeyPair
from adapters.nats.headers import SERVER_RESPONSE_XKEY
from adapters.nats.subjects import SecretsSubjects
from benchmarks.load import INBOX, LoadConnection
from benchmarks.sealed_requests import HOST_XKEYS, HostXKey, Requester, frames
from benchmarks.service import THIS, Build, MeasuredService
from benchmarks.upstream import PacedInfisical
from bootstrap.local.nats_server import LocalNatsServer
from domain.model.transport import Operation
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_model import CLIENT_ID, CLIENT_SECRET, PROJECT_ID

HOSTS = 32
COMPONENTS = 10

PROPERTIES = {
    "backend": "secrets",
    "environment": "prod",
    "path": "/",
    "project_id": PROJECT_ID,
}
_WARMING_AT_ONCE = 64
_WARMING_TIMES = 8

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from benchmarks.load import LoadResult


class WrongAnswerError(Exception):
    """A reply did not hold the secret that was asked for; no figure of this run counts."""


def metrics_on() -> dict[str, str]:
    """Return the settings that have every request counted, on a free port."""
    return {"ADMIN_ADDR": f"127.0.0.1:{neighbouring_ports(1)}"}


def secret_name(number: int) -> str:
    """Return the name of a secret that the upstream has."""
    return f"SECRET_{number:05d}"


def secret_value(name: str) -> str:
    """Return what the upstream keeps under a name."""
    return f"postgres://shop:{name.lower()}-4f6d0c1b9a@db.internal:5432/shop"


@dataclass
class Stage:
    """One service under load.

    Attributes:
        nats_pid: the process id of its nats-server.
    """

    service: MeasuredService
    upstream: PacedInfisical
    load: LoadConnection
    hosts: list[HostXKey]
    requester: Requester
    nats_pid: int
    _applications: Iterator[int] = field(default_factory=count)

    @property
    def reads(self) -> int:
        """How many secrets the upstream was asked for so far."""
        return len(self.upstream.model.reads)

    async def ask(
        self, keys: Sequence[str], at_once: int, patience: float | None = None
    ) -> LoadResult:
        """Ask for every key, sealed beforehand, and look at what came back.

        Args:
            keys: which secrets, in this order.
            at_once: how many requests may be without a reply.
            patience: seconds after which replies still missing are given up.

        Raises:
            WrongAnswerError: the latest secret is not the one asked for.
        """
        prepared = self.prepare(keys)
        return await self.send(keys, prepared, at_once, patience)

    async def introduce(self, keys: Sequence[str]) -> None:
        """Have each host ask for each of the keys, as it did when it started its components."""
        every = sorted(set(keys))
        await self.ask([every[n // HOSTS] for n in range(len(every) * HOSTS)], _WARMING_AT_ONCE)

    async def warm(self, keys: Sequence[str]) -> None:
        """Ask for each of the keys just before it is measured how fast they come from the cache.

        Several times, since every worker has a cache of its own.
        """
        await self.ask(sorted(set(keys)) * _WARMING_TIMES, len(set(keys)))

    def prepare(self, keys: Sequence[str], *, in_new_words: bool = False) -> list[bytes]:
        """Seal one request for each key.

        Args:
            keys: which secrets.
            in_new_words: have each come from an application that was not there before.
        """
        requests = [
            self.requester.ask(
                key,
                number // len(set(keys)),
                f"shop-{next(self._applications)}" if in_new_words else "shop",
            )
            for number, key in enumerate(keys)
        ]
        return frames(self.hosts, requests, SecretsSubjects().of(Operation.GET), INBOX)

    async def send(
        self,
        keys: Sequence[str],
        prepared: list[bytes],
        at_once: int,
        patience: float | None = None,
    ) -> LoadResult:
        """Send what `prepare` made; it can be sent once only."""
        result = await self.load.run(prepared, at_once, patience)
        if result.answered:
            number, head, body = result.last
            self._check(keys[number], self.hosts[number % len(self.hosts)], head, body)
        return result

    def _check(self, key: str, host: HostXKey, head: bytes, body: bytes) -> None:
        name, _, xkey = head.decode().splitlines()[1].partition(": ")
        if name != SERVER_RESPONSE_XKEY:
            raise WrongAnswerError(name)
        sender = SodiumKeyExchange().parse_public(xkey)
        secret = json.loads(host.pair.open(body, sender))["secret"]
        if secret["string_secret"] != secret_value(key):
            raise WrongAnswerError(key)


@asynccontextmanager
async def set_up(
    settings: Mapping[str, str],
    *,
    secrets: int,
    latency: float = 0.0,
    calls_a_second: float = 0.0,
    calls_a_minute: int = 0,
    upstream_url: str | None = None,
    build: Build = THIS,
) -> AsyncIterator[Stage]:
    """Start everything, with the cache's time to live as in `settings`.

    Args:
        settings: environment variables of the service beside those that connect it.
        secrets: how many the upstream has.
        latency: seconds that each of its answers takes.
        calls_a_second: how many it begins at most; 0 for any number.
        calls_a_minute: how many secret reads it answers in a minute, and refuses beyond; 0 for any
            number.
        upstream_url: of an upstream in place of that one.
        build: which service is run.
    """
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="bench-")))
        nats = await opened.enter_async_context(LocalNatsServer())
        upstream = await opened.enter_async_context(
            PacedInfisical(
                latency=latency, calls_a_second=calls_a_second, calls_a_minute=calls_a_minute
            )
        )
        for number in range(secrets):
            upstream.model.put(secret_name(number), secret_value(secret_name(number)))
        xkey = SodiumXKeyPair.generate()
        requester = Requester(PROPERTIES, components=COMPONENTS, hosts=HOSTS)
        environment = {
            "NATS_URL": nats.url,
            "INFISICAL_BASE_URL": upstream_url or upstream.url,
            "INFISICAL_CLIENT_ID": CLIENT_ID,
            "INFISICAL_CLIENT_SECRET": CLIENT_SECRET,
            "INFISICAL_PROJECT_ID": PROJECT_ID,
            "SERVER_XKEY_SEED": xkey.seed_text(),
            "TRUSTED_ISSUERS": requester.issuer.public,
            **settings,
        }
        service = await opened.enter_async_context(MeasuredService(environment, folder, build))
        load = await LoadConnection.open(nats.port)
        opened.callback(load.close)
        hosts = [HostXKey(xkey.public) for _ in range(HOST_XKEYS)]
        yield Stage(service, upstream, load, hosts, requester, nats.pid)
