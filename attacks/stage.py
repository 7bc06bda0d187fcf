"""What an attack runs on: nats-server as it is shipped, the service, and an honest host."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumKeyExchange
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats_kv.check import NatsKvCheck
from adapters.nats_kv.operating import NatsKvSecretWriter
from adapters.nats_kv.settings import NatsKvSettings
from adapters.system.clock import SystemClock
from attacks.attacker import Orders, Result
from attacks.bodies import ATTACKS
from attacks.honest import Reads, read_until
from benchmarks.process_usage import waited_seconds
from benchmarks.service import MeasuredService
from bootstrap.cli.kv_session import NatsKvByHand
from bootstrap.local.nats_server import LocalNatsServer
from bootstrap.settings.variables import Variables
from domain.use_cases.ask_for_secret import HostClient
from tests.support.environments import nats_kv_environment
from tests.support.host import Host, new_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy" / "nats"
KEY = "KEY"

_POLICY = """\
version: 1
issuers:
  team: {issuer}
grants:
  - name: production
    entities: [{{issuer: team, names: ["*-*-prod"]}}]
    applications: ["*-*-prod"]
    secrets: [{{keys: ["/**/*-*-prod"]}}]
  - name: everything
    entities: [{{issuer: team, names: ["*"]}}]
    secrets: [{{keys: ["/**"]}}]
"""
_PASSWORD = re.compile(r"\$NATS_([A-Z_]+)_PASSWORD")
_BEFORE_SECONDS = 0.5
_AFTER_SECONDS = 1.0
_MEMORY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration that is shipped, and who attacks and who is attacked there."""

    file: str
    attacker: str
    honest: str
    title: str


CONFIGURATIONS = (
    Configuration("accounts.conf", "host-a", "host-b", "a host of another account"),
    Configuration("permissions.conf", "host", "host", "a host with the same login"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attack did.

    Attributes:
        disconnects: how often nats-server hung up on the service.
        peak_bytes: the most memory that the service had in RAM.
        after_bytes: what it had when the attack was over.
        starved: the part of the time for which the service could have run and got no processor.
    """

    configuration: Configuration
    title: str
    attacker: Result
    honest: Reads
    disconnects: int
    peak_bytes: int
    after_bytes: int
    starved: float


@dataclass
class Stage:
    """One service under one configuration."""

    configuration: Configuration
    server: LocalNatsServer
    service: MeasuredService
    log: Path
    host: Host
    token: str

    async def run(self, attack: int, seconds: float) -> Outcome:
        """Run one attack beside the honest host, which asks before, meanwhile and after."""
        stop = asyncio.Event()
        before = self._disconnects()
        began, waited = time.perf_counter(), waited_seconds(self.service.pid)
        reading = asyncio.create_task(read_until(self.host, KEY, self.token, stop))
        watching = asyncio.create_task(self._peak(stop))
        await asyncio.sleep(_BEFORE_SECONDS)
        result = await _attacker(
            Orders(
                attack,
                self.server.port,
                self.configuration.attacker,
                password(self.configuration.attacker),
                await self.host.client.server_xkey(),
                seconds,
            )
        )
        await asyncio.sleep(_AFTER_SECONDS)
        starved = waited_seconds(self.service.pid) - waited
        elapsed = time.perf_counter() - began
        stop.set()
        return Outcome(
            self.configuration,
            ATTACKS[attack].title,
            result,
            await reading,
            self._disconnects() - before,
            await watching,
            self.service.resident_bytes(),
            starved / elapsed,
        )

    async def _peak(self, stop: asyncio.Event) -> int:
        peak = 0
        while not stop.is_set():
            peak = max(peak, self.service.resident_bytes())
            await asyncio.sleep(_MEMORY_SECONDS)
        return peak

    def _disconnects(self) -> int:
        return self.log.read_bytes().count(b'"event":"nats.disconnected"')


def password(user: str) -> str:
    """Return the password that a user has on these servers alone."""
    return f"password-of-{user}"


@asynccontextmanager
async def set_up(configuration: Configuration) -> AsyncIterator[Stage]:
    """Start everything on loopback, in a folder that is removed."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="attack-")))
        config = (DEPLOY / configuration.file).read_text("utf-8")
        for name in _PASSWORD.findall(config):
            os.environ[f"NATS_{name}_PASSWORD"] = password(name.lower().replace("_", "-"))
        server = await opened.enter_async_context(LocalNatsServer(jetstream=True, config=config))
        issuer = SigningKey.generate(KeyKind.ACCOUNT)
        policy = folder / "policy.yaml"
        policy.write_text(_POLICY.format(issuer=issuer.public), "utf-8")
        environment = nats_kv_environment(folder)
        await _store(server, config, environment)
        settings = environment | {
            "NATS_URL": url_of(server, "backend"),
            "ACCESS_POLICY_FILE": str(policy),
            "CACHE_TTL_SECONDS": "0",
        }
        service = await opened.enter_async_context(MeasuredService(settings, folder))
        connection = await opened.enter_async_context(
            NatsConnection(
                NatsSettings(urls=(url_of(server, configuration.honest),)), SystemClock()
            )
        )
        channel = NatsChannel(connection.client, SecretsSubjects())
        host = Host(HostClient(channel, SodiumKeyExchange()), channel)
        token = new_token(issuer, KeyKind.COMPONENT)
        yield Stage(configuration, server, service, folder / "service.log", host, token)


def url_of(server: LocalNatsServer, user: str) -> str:
    """Return the address with the user's login in it."""
    return f"nats://{user}:{password(user)}@127.0.0.1:{server.port}"


async def _store(server: LocalNatsServer, config: str, environment: dict[str, str]) -> None:
    """Write the secret as the operator does, into the bucket that the backend makes."""
    kept = Variables(environment).load(NatsKvSettings)
    by_hand = Variables(environment).load(NatsKvByHand)
    clock, xkey = SystemClock(), kept.encryption_xkey()
    async with NatsConnection(NatsSettings(urls=(url_of(server, "backend"),)), clock) as backend:
        check = NatsKvCheck(client=backend.client, config=kept, encryption_xkey=xkey, clock=clock)
        await check.check()
    # In accounts.conf people have an account of their own.
    prefix = "JS.SECRETS.API" if "OPERATORS" in config else "$JS.API"
    operator = NatsSettings(urls=(url_of(server, "operator"),), jetstream_prefix=prefix)
    async with NatsConnection(operator, clock) as connection:
        writer = NatsKvSecretWriter(
            client=connection.client, config=by_hand, encryption_xkey=xkey, clock=clock
        )
        await writer.put(KEY, "value")


async def _attacker(orders: Orders) -> Result:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "attacks.attacker",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await process.communicate(json.dumps(asdict(orders)).encode())
    return Result(**json.loads(written))
