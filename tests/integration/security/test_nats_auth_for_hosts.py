"""`nats-auth init` on a real server: the logins of hosts, each bound to its lattice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from adapters.crypto.nkeys_text import KeyKind
from tests.integration.security.nats_auth_site import AUDIT, ISSUER, PREFIX, OpenSite, serving
from tests.support.host import new_token
from tests.support.lattice_host import Artifact, Link

if TYPE_CHECKING:
    from tests.integration.security.roles import PlainClient


OWN_BUCKETS = ("KV_LATTICEDATA_default", "KV_CONFIGDATA_default")


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
