"""`nats-auth init` on a real server: each login does its work, and nothing beside it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import nats
import pytest
import pytest_asyncio

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.integration.security.conftest import PlainClient
from tests.support.command_line import CommandLine
from tests.support.environments import nats_kv_environment
from tests.support.host import new_token
from tests.support.lattice_host import Artifact, LatticeHost, Link
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer

ISSUER = SigningKey.generate(KeyKind.ACCOUNT)
PREFIX = "wasmcloud.secrets.v1alpha1.infisical"
BUCKET, AUDIT = "KV_WASMCLOUD_SECRETS", "SECRETS_AUDIT"
API = "JS.SECRETS.API"
OWN_BUCKETS = ("KV_LATTICEDATA_default", "KV_CONFIGDATA_default")


class Site:
    """A server with what `init` wrote, and logins to it."""

    def __init__(self, server: LocalNatsServer, folder: Path, clients: AsyncExitStack) -> None:
        self.server, self.folder, self._clients = server, folder, clients

    def settings(self, user: str) -> dict[str, str]:
        return nats_kv_environment(self.folder) | {
            "NATS_URL": self.server.url,
            "NATS_CREDENTIALS_FILE": str(self.credentials(user)),
            **({"NATS_JETSTREAM_PREFIX": API} if user in {"operator", "auditor"} else {}),
        }

    def credentials(self, user: str) -> Path:
        return self.folder / "auth" / "creds" / f"{user}.creds"

    def service(self, **more: str) -> ServiceProcess:
        settings = self.settings("service") | {"AUDIT_STREAM": AUDIT} | more
        return ServiceProcess(settings, self.folder)

    async def command(self, user: str, *words: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        return await CommandLine(self.settings(user), self.folder).run(*words, stdin=stdin)

    async def log_in(self, user: str) -> PlainClient:
        complaints: list[str] = []

        async def note(error: Exception) -> None:
            complaints.append(str(error))

        lines = self.credentials(user).read_text().splitlines()
        key = SigningKey.from_seed(lines[lines.index("-----BEGIN USER NKEY SEED-----") + 1])
        client = await nats.connect(
            self.server.url,
            user_jwt_cb=lines[1].encode,
            signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
            error_cb=note,
            allow_reconnect=False,
        )
        self._clients.push_async_callback(client.close)
        return PlainClient(client, complaints)

    async def host(self, lattice: str = "default") -> tuple[LatticeHost, list[PlainClient]]:
        code, _, said = await self.command(
            f"lattice-{lattice}", "nats-auth", "lattice-buckets", lattice
        )
        assert code == 0, said
        logins = [await self.log_in(f"host-{lattice}") for _ in range(2)]
        host = LatticeHost(*(login.client for login in logins), lattice=lattice)
        return await host.join(), logins

    async def reload(self) -> None:
        """Have the server read the written configuration again, as `nats-server --signal` does."""
        file = self.server._runtime_folder() / "nats-server.conf"
        before = file.read_text()
        begin = before.index("# Written by")
        file.write_text(before[:begin] + (self.folder / "auth" / "nats-auth.conf").read_text())
        os.kill(self.server.pid, signal.SIGHUP)


class OpenSite(Protocol):
    async def __call__(self, *options: str) -> Site: ...


@pytest_asyncio.fixture
async def open_site(start_nats_server: StartNatsServer, tmp_path: Path) -> AsyncIterator[OpenSite]:
    async with AsyncExitStack() as clients:

        async def opened(*options: str) -> Site:
            code, _, said = await CommandLine({}, tmp_path).run(
                "nats-auth", "init", "auth", *options
            )
            assert code == 0, said
            config = (tmp_path / "auth" / "nats-auth.conf").read_text()
            server = await start_nats_server(config, jetstream=True)
            return Site(server, tmp_path, clients)

        yield opened


@asynccontextmanager
async def serving(site: Site, **more: str) -> AsyncIterator[ServiceProcess]:
    """Run the service, with one secret stored by the operator."""
    async with site.service(**more) as service:
        code, _, said = await site.command("operator", "kv", "put", "KEY", stdin=b"value")
        assert code == 0, said
        yield service


@pytest.mark.parametrize("lattice", ["default", "prod-eu", "Team_1"])
async def test_a_host_of_any_lattice_starts_components_and_providers_under_its_login(
    open_site: OpenSite, lattice: str
) -> None:
    site = await open_site("--lattice", lattice, "--lattice", "another")
    component = new_token(ISSUER, KeyKind.COMPONENT)
    provider = new_token(ISSUER, KeyKind.PROVIDER)
    link = Link("checkout", "redis", target_secrets=("SECRET_key",))

    async with serving(site) as service:
        host, logins = await site.host(lattice)
        heard = await heard_by(await site.log_in(f"lattice-{lattice}"), f"wasmbus.evt.{lattice}.>")
        names = (await host.put_secret_reference("key", "KEY"),)
        events = [
            await host.scale("checkout", Artifact(component, names)),
            await host.start_provider("redis", Artifact(provider, names)),
        ]
        await host.put_link(link)
        denied = [await login.denied() for login in logins]

    assert [event.error for event in events] == ["", ""]
    assert host.running["redis"].links[link] == {"key": "value"}
    assert heard[-2:] == [
        f"wasmbus.evt.{lattice}.component_scaled",
        f"wasmbus.evt.{lattice}.provider_started",
    ]
    assert denied == [[], []]
    assert "violation" not in service.output.lower()


async def heard_by(login: PlainClient, subject: str) -> list[str]:
    heard: list[str] = []

    async def hear(message: object) -> None:
        heard.append(getattr(message, "subject", ""))

    await login.client.subscribe(subject, cb=hear)
    await login.client.flush()
    return heard


async def test_a_host_answers_control_commands_and_calls_of_its_lattice(
    open_site: OpenSite,
) -> None:
    site = await open_site()
    host, (ctl, rpc) = await site.host()
    wadm = await site.log_in("lattice-default")

    answer = await wadm.client.request(f"wasmbus.ctl.v1.default.host.get.{host.id}", timeout=2)
    call = await wadm.client.request(f"wasmbus.rpc.default.{host.id}.health", timeout=2)

    assert json.loads(answer.data) == json.loads(call.data) == {"success": True}
    for subject in ("default.shop-checkout.wrpc.0.0.1.wasi:keyvalue/store.get", "_INBOX.a.params"):
        assert await rpc.may_publish(subject)
        assert await rpc.may_subscribe(subject)
    assert not await ctl.denied()


async def test_a_host_reaches_no_other_lattice_and_nothing_of_the_service(
    open_site: OpenSite,
) -> None:
    site = await open_site("--lattice", "default", "--lattice", "other")
    async with serving(site):
        await site.host()
        login = await site.log_in("host-default")
        forbidden = [
            "wasmbus.evt.other.component_scaled",
            "wasmbus.ctl.v1.default.component.scale.N",
            "other.component.wrpc.0.0.1.x",
            "$KV.CONFIGDATA_other.SECRET_x",
            "$KV.WASMCLOUD_SECRETS.KEY",
            "wasmcloud.secrets.audit.v1",
            "wasmcloud.secrets.control.infisical.invalidate",
            "$JS.API.STREAM.LIST",
            *(f"$JS.API.STREAM.{call}.{AUDIT}" for call in ("INFO", "MSG.GET", "DELETE")),
            *(
                f"$JS.API.STREAM.{call}.{bucket}"
                for call in ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "MSG.DELETE")
                for bucket in (*OWN_BUCKETS, "ANY")
            ),
        ]
        published = [subject for subject in forbidden if await login.may_publish(subject)]
        heard = [
            subject
            for subject in (f"{PREFIX}.get", f"{PREFIX}.server_xkey", "wasmcloud.secrets.>", ">")
            if await login.may_subscribe(subject)
        ]

    assert published == []
    assert heard == []


async def test_the_lattices_own_user_hears_no_request_of_its_hosts(open_site: OpenSite) -> None:
    site = await open_site()
    async with serving(site):
        host, _ = await site.host()
        wadm = await site.log_in("lattice-default")
        heard = [await heard_by(wadm, subject) for subject in (">", "wasmcloud.>", "*.*.*.*.*")]
        name = await host.put_secret_reference("key", "KEY")
        event = await host.scale("c", Artifact(new_token(ISSUER, KeyKind.COMPONENT), (name,)))
        await wadm.client.flush()

    assert event.error == ""
    assert [subject for subjects in heard for subject in subjects if "secrets.v1" in subject] == []
    assert not await wadm.may_subscribe(f"{PREFIX}.get")


async def test_the_auditor_reads_the_audit_stream_and_nothing_else(open_site: OpenSite) -> None:
    site = await open_site()
    async with serving(site):
        host, _ = await site.host()
        name = await host.put_secret_reference("key", "KEY")
        await host.scale("c", Artifact(new_token(ISSUER, KeyKind.COMPONENT), (name,)))
        auditor = await site.log_in("auditor")
        keys: list[str] = []
        async with asyncio.timeout(10):
            while "KEY" not in keys:
                code, out, said = await site.command(
                    "auditor", "audit", "tail", "--no-follow", "--json"
                )
                assert code == 0, said
                keys = [json.loads(line).get("key") for line in out.splitlines()]
        missing = await host.put_secret_reference("none", "NO_SUCH_KEY")
        failed = await host.scale("d", Artifact(new_token(ISSUER, KeyKind.COMPONENT), (missing,)))
        async with asyncio.timeout(10):
            why = (1, b"", "")
            while why[0] != 0:
                why = await site.command("auditor", "audit", "why", "--said", failed.error)
        assert b"NO_SUCH_KEY" in why[1]
        published = [
            subject
            for subject in (
                f"{PREFIX}.get",
                f"{PREFIX}.server_xkey",
                "$KV.WASMCLOUD_SECRETS.KEY",
                f"{API}.STREAM.INFO.{BUCKET}",
                f"{API}.STREAM.MSG.GET.{BUCKET}",
                f"{API}.DIRECT.GET.{AUDIT}",
                f"{API}.CONSUMER.CREATE.{AUDIT}",
                "wasmcloud.secrets.audit.v1",
                "wasmcloud.secrets.control.infisical.flush",
                "wasmcloud.secrets.control.infisical.invalidate",
                *(f"{API}.STREAM.{call}.{AUDIT}" for call in ("DELETE", "PURGE", "UPDATE")),
                *(f"$JS.API.STREAM.{call}.{AUDIT}" for call in ("CREATE", "DELETE", "MSG.GET")),
            )
            if await auditor.may_publish(subject)
        ]
        heard = [
            subject
            for subject in (">", "wasmcloud.>", "wasmcloud.secrets.events.infisical.changed")
            if await auditor.may_subscribe(subject)
        ]

    assert published == []
    assert heard == []


async def test_the_operator_stores_secrets_and_neither_asks_nor_reads_the_trail(
    open_site: OpenSite,
) -> None:
    site = await open_site()
    async with serving(site):
        operator = await site.log_in("operator")
        published = [
            subject
            for subject in (
                f"{PREFIX}.get",
                f"{PREFIX}.server_xkey",
                "wasmcloud.secrets.audit.v1",
                f"{API}.STREAM.MSG.GET.{AUDIT}",
                f"{API}.STREAM.INFO.{AUDIT}",
                *(f"{API}.STREAM.{call}.{BUCKET}" for call in ("CREATE", "DELETE", "UPDATE")),
                *(f"$JS.API.STREAM.{call}.{BUCKET}" for call in ("CREATE", "DELETE", "UPDATE")),
                "wasmcloud.secrets.control.infisical.invalidate",
            )
            if await operator.may_publish(subject)
        ]
        listed = await site.command("operator", "kv", "list")
        flushed = await operator.may_publish("wasmcloud.secrets.control.infisical.flush")

    assert published == []
    assert listed[:2] == (0, b"KEY\n")
    assert flushed
    assert not await operator.may_subscribe(f"{PREFIX}.get")


async def test_the_service_sees_which_account_and_user_asks(open_site: OpenSite) -> None:
    site = await open_site()
    async with serving(site, NATS_REQUESTER_REQUIRED="true") as service:
        host, _ = await site.host()
        name = await host.put_secret_reference("key", "KEY")
        event = await host.scale("c", Artifact(new_token(ISSUER, KeyKind.COMPONENT), (name,)))

    assert event.error == ""
    record = [r for r in service.logged("secret_request") if r["operation"] == "get"][-1]
    seed = (site.folder / "auth" / "keys" / "LATTICE_DEFAULT.seed").read_text().strip()
    assert record["requester_account"] == SigningKey.from_seed(seed).public


async def test_a_lattice_that_is_added_later_works_once_the_server_has_reloaded(
    open_site: OpenSite,
) -> None:
    site = await open_site()
    async with serving(site):
        before = await site.host()
        code, _, said = await site.command("service", "nats-auth", "add-lattice", "auth", "late")
        assert code == 0, said
        await site.reload()
        host, _ = await site.host("late")
        for each in (before[0], host):
            name = await each.put_secret_reference("key", "KEY")
            artifact = Artifact(new_token(ISSUER, KeyKind.COMPONENT), (name,))
            assert (await each.scale("c", artifact)).error == ""


async def test_without_a_login_nobody_gets_in(open_site: OpenSite) -> None:
    site = await open_site()
    connection = NatsConnection(NatsSettings(urls=(site.server.url,)), SystemClock())

    with pytest.raises(NatsConnectError):
        await connection.open()
