"""What a host's operator sees when starts, scalings, links and restarts meet this service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from tests.support.environments import new_xkey_seed
from tests.support.host import new_token
from tests.support.lattice_host import Artifact, LatticeHost, Link
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.integration.hosts.conftest import JoinLattice

ISSUER = SigningKey.generate(KeyKind.ACCOUNT)
COMPONENT, PROVIDER = new_token(ISSUER, KeyKind.COMPONENT), new_token(ISSUER, KeyKind.PROVIDER)


async def test_a_component_gets_its_secrets_and_scaling_it_again_reads_them_again(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    await writer.put("shop/DB", '{"password": "p1", "port": 5432}')
    names = (
        await host.put_secret_reference("db-password", "shop/DB", field="password"),
        await host.put_secret_reference("db-port", "shop/DB", field="port"),
    )
    shop = Artifact(COMPONENT, names, "shop")

    async with ServiceProcess(settings, tmp_path) as service:
        first = await host.scale("checkout", shop)
        values = [host.running["checkout"].values]
        await writer.put("shop/DB", '{"password": "p2", "port": 5432}')
        await host.scale("checkout", shop)
        values.append(host.running["checkout"].values)
        await writer.put("shop/DB", "no JSON any more")
        failed = await host.scale("checkout", shop)

    assert (first.name, first.error) == ("component_scaled", "")
    assert values == [
        {"db-password": "p1", "db-port": "5432"},
        {"db-password": "p2", "db-port": "5432"},
    ]
    assert failed.name == "component_scale_failed"
    assert failed.error == "Unable to fetch requested secrets: server error: Invalid request"
    assert host.running["checkout"].values == values[1], "the old instance runs on"
    asked = [record["field"] for record in service.logged("secret_request") if "field" in record]
    assert asked == ["password", "port", "password", "port", "password"], (
        "the first failure ends it"
    )


async def test_an_update_asks_nobody_and_keeps_the_old_secrets(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    await writer.put("KEY", "value")
    names = (await host.put_secret_reference("key", "KEY"),)
    settings |= {"TRUSTED_ISSUERS": ISSUER.public}
    stranger = new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.COMPONENT)

    async with ServiceProcess(settings, tmp_path) as service:
        await host.scale("checkout", Artifact(COMPONENT, names))
        event = await host.update("checkout", Artifact(stranger, names))
        kept = host.running["checkout"].values
        again = await host.scale("checkout", Artifact(stranger, names))

    assert (event.name, kept) == ("component_updated", {"key": "value"})
    assert again.error.endswith("server error: Error fetching secret: unauthorized")
    asked = [r["outcome"] for r in service.logged("secret_request") if r["operation"] == "get"]
    assert asked == ["answered", "refused"], "the update asked for no secret"


async def test_a_restarted_service_serves_hosts_that_keep_the_xkey_they_heard_first(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    await writer.put("KEY", "value")
    shop = Artifact(COMPONENT, (await host.put_secret_reference("key", "KEY"),))
    first, second = new_xkey_seed(), new_xkey_seed()
    del settings["SERVER_XKEY_SEED_FILE"]

    ends = []
    for keys in (
        {"SERVER_XKEY_SEED": first},
        {"SERVER_XKEY_SEED": first},
        {"SERVER_XKEY_SEED": second},
        {"SERVER_XKEY_SEED": second, "SERVER_XKEY_RETIRED_SEEDS": first},
    ):
        async with ServiceProcess(settings | keys, tmp_path):
            ends.append((await host.scale("checkout", shop)).error)

    lost = "Unable to fetch requested secrets: server error: Error decrypting secret"
    assert ends == ["", "", lost, ""]


async def test_no_rollout_fails_while_one_of_two_replicas_is_killed(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    keys = [f"KEY_{number}" for number in range(5)]
    for key in keys:
        await writer.put(key, f"value of {key}")
    names = tuple([await host.put_secret_reference(key.lower(), key) for key in keys])

    async with ServiceProcess(settings, tmp_path), ServiceProcess(settings, tmp_path) as second:
        events = [await host.scale("c-0", Artifact(COMPONENT, names))]
        starts = [host.scale(f"c-{n}", Artifact(COMPONENT, names)) for n in range(1, 8)]
        stopping = asyncio.create_task(second.stop())
        events += await asyncio.gather(*starts)
        await stopping

    assert [event.error for event in events] == [""] * 8
    assert all(len(running.values) == len(keys) for running in host.running.values())


async def test_hosts_say_why_nothing_could_be_asked(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    await writer.put("KEY", "value")
    names = (await host.put_secret_reference("key", "KEY"),)
    elsewhere = (await host.put_secret_reference("other", "KEY", backend="other"),)

    async with ServiceProcess(settings, tmp_path):
        unsigned = await host.scale("unsigned", Artifact(None, names))
        wrong_backend = await host.scale("elsewhere", Artifact(COMPONENT, elsewhere))
        fine = await host.scale("fine", Artifact(COMPONENT, names))
    down = await host.scale("late", Artifact(COMPONENT, names))

    assert "did not have an embedded JWT" in unsigned.error
    assert wrong_backend.error.endswith("failed to fetch server xkey: no responders: no responders")
    assert fine.error == ""
    assert down.error == (
        "Unable to fetch requested secrets: failed to send secret request: "
        "no responders: no responders"
    )


async def test_link_secrets_are_asked_for_with_the_providers_token_and_application(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    for key in ("OWN", "SOURCE", "TARGET"):
        await writer.put(key, f"value of {key}")
    own, source, target = [
        await host.put_secret_reference(key.lower(), key) for key in ("OWN", "SOURCE", "TARGET")
    ]
    link = Link("checkout", "redis", (source,), (target,))

    async with ServiceProcess(settings, tmp_path) as service:
        await host.start_provider("redis", Artifact(PROVIDER, (own,), "stores"))
        await host.put_link(link)

    assert host.running["redis"].links[link] == {
        "source": "value of SOURCE",
        "target": "value of TARGET",
    }
    records = [r for r in service.logged("secret_request") if r["operation"] == "get"]
    assert [r["key"] for r in records] == ["OWN", "SOURCE", "TARGET"]
    assert {(r["entity_kind"], r["application"]) for r in records} == {("provider", "stores")}


async def test_a_link_made_while_its_secret_is_missing_comes_with_the_next_start_of_the_provider(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    await writer.put("OWN", "own")
    own = await host.put_secret_reference("own", "OWN")
    link = Link("checkout", "redis", target_secrets=(await host.put_secret_reference("u", "URL"),))
    redis = Artifact(PROVIDER, (own,))

    async with ServiceProcess(settings, tmp_path):
        await host.start_provider("redis", redis)
        success = await host.put_link(link)
        before = dict(host.running["redis"].links)
        await writer.put("URL", "redis://…")
        await host.stop_provider("redis")
        await host.start_provider("redis", redis)

    assert success
    assert before == {}
    assert host.running["redis"].links == {link: {"u": "redis://…"}}


async def test_a_provider_that_crashes_while_the_service_is_down_stays_down_until_it_is_stopped(
    settings: dict[str, str], tmp_path: Path, writer: NatsKvSecretWriter, host: LatticeHost
) -> None:
    await writer.put("OWN", "own")
    redis = Artifact(PROVIDER, (await host.put_secret_reference("own", "OWN"),))

    async with ServiceProcess(settings, tmp_path):
        await host.start_provider("redis", redis)
        crashed = await host.crash_provider("redis")
        assert (crashed.name, host.running["redis"].alive) == ("provider_started", True)
    await host.crash_provider("redis")
    async with ServiceProcess(settings, tmp_path):
        refused = await host.start_provider("redis", redis)
        alive = host.running["redis"].alive
        await host.stop_provider("redis")
        started = await host.start_provider("redis", redis)

    assert (refused.error, alive) == ("already running", False)
    assert (started.error, host.running["redis"].alive) == ("", True)


async def test_hosts_of_any_lattice_ask_on_the_same_subjects(
    settings: dict[str, str],
    tmp_path: Path,
    writer: NatsKvSecretWriter,
    host: LatticeHost,
    join_lattice: JoinLattice,
) -> None:
    await writer.put("KEY", "value")
    hosts = [host, await join_lattice(settings["NATS_URL"], lattice="prod-eu")]
    for each in hosts:
        name = await each.put_secret_reference("key", "KEY")

    async with ServiceProcess(settings, tmp_path):
        events = await asyncio.gather(
            *(host.scale("checkout", Artifact(COMPONENT, (name,))) for host in hosts)
        )

    assert [event.error for event in events] == ["", ""]
