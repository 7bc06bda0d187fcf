"""`nats-auth init` on a real server: each login does its work, and nothing beside it."""

from __future__ import annotations

import asyncio
import json

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.nats.connect_errors import NatsConnectError
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.system.clock import SystemClock
from tests.integration.security.nats_auth_site import (
    API,
    AUDIT,
    BUCKET,
    ISSUER,
    PREFIX,
    OpenSite,
    serving,
)
from tests.support.host import new_token
from tests.support.lattice_host import Artifact


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
