"""A wasmCloud host as it behaves on the wire around secrets, without the wasm.

Modelled on host 1.9.2 as measured (docs/real-hosts.md): two connections, of which the control
connection asks for secrets; the server's xkey fetched once and kept for life; one secret after the
other while the lock on all components is held; 10 s for each; the first failure ends a start.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import nats.js.errors

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.system.clock import SystemClock
from domain.model.policy_properties import PROPERTIES_TYPE
from tests.support.host_secrets import HostSecrets, SecretsUnavailableError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js.kv import KeyValue


@dataclass(frozen=True)
class Artifact:
    """What is started: its token, the configurations that name its secrets, its application."""

    token: str | None
    secrets: tuple[str, ...] = ()
    application: str | None = None


@dataclass(frozen=True)
class Link:
    """A link with secrets for its two ends."""

    source: str
    provider: str
    source_secrets: tuple[str, ...] = ()
    target_secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """What the host publishes about an attempt, and how long the attempt took."""

    name: str
    error: str = ""
    seconds: float = 0.0


@dataclass
class Running:
    """A component or provider on the host.

    Attributes:
        alive: false for a provider that crashed and could not be started again.
    """

    artifact: Artifact
    values: dict[str, str | bytes]
    links: dict[Link, dict[str, str | bytes]] = field(default_factory=dict)
    alive: bool = True


class LatticeHost:
    """One host in one lattice. Its clients are connected by the test and closed by it."""

    def __init__(
        self,
        ctl: Client,
        rpc: Client,
        *,
        lattice: str = "default",
        topic: str = "wasmcloud.secrets",
    ) -> None:
        key = SigningKey.generate(KeyKind.HOST)
        self.id = key.public
        # A host signs its own token with an account key that it draws at each start.
        token = sign_token(
            SigningKey.generate(KeyKind.ACCOUNT), self.id, token_id="host", issued_at=1
        )
        self._secrets = HostSecrets(ctl, token, topic)
        self._ctl, self._rpc, self._lattice = ctl, rpc, lattice
        self._components = asyncio.Lock()
        self._clock = SystemClock()
        self._config: KeyValue | None = None
        self.running: dict[str, Running] = {}
        self._links: set[Link] = set()

    async def join(self) -> Self:
        """Open or make the lattice's buckets, listen for control and announce the host."""
        js = self._ctl.jetstream()
        for bucket in ("LATTICEDATA", "CONFIGDATA"):
            name = f"{bucket}_{self._lattice}"
            try:
                store = await js.key_value(name)
            except nats.js.errors.BucketNotFoundError:
                store = await js.create_key_value(bucket=name, history=1, direct=True)
            self._config = store
        await self._ctl.subscribe(f"wasmbus.ctl.v1.{self._lattice}.>", cb=self._control)
        await self._rpc.subscribe(f"wasmbus.rpc.{self._lattice}.{self.id}.>", cb=self._control)
        await self._publish(Event("host_started"))
        return self

    async def put_config(self, name: str, values: dict[str, str]) -> None:
        """Store a named configuration, as the control command `config.put` does."""
        await self._bucket.put(name, json.dumps(values).encode())

    async def put_secret_reference(
        self,
        name: str,
        key: str,
        *,
        backend: str = "infisical",
        field: str | None = None,
        version: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> str:
        """Store a reference in the form that wadm writes, and return the configuration's name."""
        policy = {"type": PROPERTIES_TYPE, "properties": {"backend": backend, **(properties or {})}}
        values = {"name": name, "type": "secret", "backend": backend, "key": key}
        values |= {"field": field} if field else {}
        values |= {"version": version} if version else {}
        await self.put_config(f"SECRET_{name}", values | {"policy": json.dumps(policy)})
        return f"SECRET_{name}"

    async def scale(self, component: str, artifact: Artifact) -> Event:
        """Start a component, or scale it again: its secrets are read either way."""
        async with self._components:
            return await self._begin(
                component, artifact, "component_scaled", "component_scale_failed"
            )

    async def update(self, component: str, artifact: Artifact) -> Event:
        """Exchange the artifact of a running component: the old one's secrets stay, unasked."""
        async with self._components:
            self.running[component].artifact = artifact
            return await self._publish(Event("component_updated"))

    async def start_provider(self, provider: str, artifact: Artifact) -> Event:
        """Start a provider, and make the links that wait for it."""
        if provider in self.running:
            return await self._publish(Event("provider_start_failed", "already running"))
        event = await self._begin(provider, artifact, "provider_started", "provider_start_failed")
        if provider in self.running:
            await self._make_links(provider)
        return event

    async def crash_provider(self, provider: str) -> Event:
        """Let a provider crash: the host starts it again, once, with secrets read again."""
        artifact = self.running[provider].artifact
        event = await self._begin(provider, artifact, "provider_started", "provider_start_failed")
        self.running[provider].alive = not event.error
        return event

    async def stop_provider(self, provider: str) -> None:
        """Take a provider away, after which it can be started again."""
        del self.running[provider]

    async def put_link(self, link: Link) -> bool:
        """Make a link: "success" whatever becomes of its secrets."""
        self._links.add(link)
        if link.provider in self.running:
            await self._make_links(link.provider)
        return True

    async def inventory(self) -> float:
        """Return how long a question about the host's components had to wait."""
        asked = self._clock.monotonic()
        async with self._components:
            return self._clock.monotonic() - asked

    @property
    def _bucket(self) -> KeyValue:
        assert self._config is not None, "join first"
        return self._config

    async def _begin(self, name: str, artifact: Artifact, done: str, failed: str) -> Event:
        begun = self._clock.monotonic()
        try:
            values = await self._fetch(artifact, artifact.secrets)
        except SecretsUnavailableError as error:
            event = Event(failed, str(error))
        else:
            self.running[name] = Running(artifact, values)
            event = Event(done)
        return await self._publish(replace(event, seconds=self._clock.monotonic() - begun))

    async def _make_links(self, provider: str) -> None:
        running = self.running[provider]
        for link in self._links:
            if link.provider == provider and link not in running.links:
                try:
                    # With the provider's token and application, whichever end they are for.
                    names = link.source_secrets + link.target_secrets
                    values = await self._fetch(running.artifact, names)
                except SecretsUnavailableError:
                    continue  # only the host's log says so
                running.links[link] = values

    async def _fetch(self, artifact: Artifact, names: tuple[str, ...]) -> dict[str, str | bytes]:
        references = [json.loads((await self._bucket.get(name)).value or b"{}") for name in names]
        return await self._secrets.fetch(artifact.token, artifact.application, references)

    async def _control(self, message: Msg) -> None:
        if message.reply:
            await message.respond(b'{"success":true}')

    async def _publish(self, event: Event) -> Event:
        body: dict[str, Any] = {"type": f"com.wasmcloud.lattice.{event.name}", "error": event.error}
        await self._ctl.publish(
            f"wasmbus.evt.{self._lattice}.{event.name}", json.dumps(body).encode()
        )
        await self._ctl.flush()
        return event
