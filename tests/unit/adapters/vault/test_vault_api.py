"""Reads through the model of Vault: versions of secrets and mounts, tokens that end, late nodes."""

from __future__ import annotations

import asyncio

import pytest

from adapters.vault.access import AgentAccess
from domain.model.errors import (
    CallFailed,
    InvalidRequest,
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from tests.support.refused import refused
from tests.unit.adapters.vault.api_rig import Rig


async def test_a_version_asked_for_is_the_version_served() -> None:
    rig = Rig()
    for text in ("one", "two"):
        rig.model.put("app", {"v": text})

    assert await rig.text("app", "1") == '{"v":"one"}'
    assert await rig.text("app") == '{"v":"two"}'
    assert rig.targets[1] == "secret/data/app?version=1"


@pytest.mark.parametrize(
    "version", ["0", "-1", "+1", "01", "010", "0x1", "1_0", "1.0", "1e0", " 1", "1 ", "", "latest"]
)
async def test_a_version_that_the_server_would_read_otherwise_is_not_sent(version: str) -> None:
    rig = Rig()

    with pytest.raises(InvalidRequest):
        await rig.get("app", version)
    assert rig.calls.made == []


@pytest.mark.parametrize("version", ["2147483648", "9" * 90])
async def test_a_version_beyond_all_is_not_found_without_asking(version: str) -> None:
    rig = Rig()

    with pytest.raises(SecretNotFound):
        await rig.get("app", version)
    assert rig.calls.made == []


async def test_a_version_that_a_standby_node_lacks_for_a_moment_is_asked_once_more() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "new"})
    rig.model.lag = 1
    await rig.tokens.current()
    request = asyncio.create_task(rig.text("app", "1"))
    await rig.advance(0)
    await rig.advance(0.2)

    assert await request == '{"v":"new"}'


async def test_no_time_is_spent_on_a_lagging_node_beyond_the_deadline() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "new"})
    rig.model.lag, rig.patience = 1, 0.1

    with pytest.raises(SecretNotFound):
        await rig.get("app", "1")


async def test_a_deleted_version_is_not_asked_for_again() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "new"})
    rig.model.secret("app").versions[0].destroyed = True

    for version in (None, "1"):
        with refused(SecretNotFound, "version_destroyed"):
            await rig.get("app", version)
    assert len(rig.targets) == 3


async def test_a_revoked_token_is_replaced_and_the_read_made_again() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "x"})
    await rig.text("app")
    rig.model.logins.tokens.clear()

    assert await rig.text("app") == '{"v":"x"}'
    assert rig.model.logins.logins == 2


async def test_a_right_that_is_missing_is_no_reason_to_log_in_again() -> None:
    rig = Rig()
    rig.model.denied.add("secret/data/app")
    for _ in range(3):
        with pytest.raises(Unauthorized):
            await rig.text("app")

    assert rig.model.logins.logins == 1


async def test_a_namespace_goes_along_with_every_call() -> None:
    rig = Rig()
    rig.model.mounts["team1", "secret"] = 2
    rig.model.put("app", {"v": "team"}, namespace="team1")

    assert await rig.text("app", namespace="team1") == '{"v":"team"}'
    assert [call.headers.get("x-vault-namespace") for call in rig.model.reads] == ["team1"] * 2


async def test_an_agent_in_between_needs_no_token() -> None:
    rig = Rig(access=AgentAccess())
    rig.model.logins.tokens = {""}
    rig.model.put("app", {"v": "x"})

    assert await rig.text("app") == '{"v":"x"}'
    rig.model.logins.tokens = set()
    with refused(UpstreamError, "token_refused"):
        await rig.text("app")


async def test_the_version_of_a_mount_is_asked_once_and_each_read_is_one_call() -> None:
    rig = Rig()
    rig.model.put("app/db", {"v": "1"})
    for _ in range(3):
        assert await rig.text("app/db") == '{"v":"1"}'

    asked, *reads = rig.targets
    assert asked == "sys/internal/ui/mounts/secret"
    assert reads == ["secret/data/app/db"] * 3
    assert rig.model.logins.logins == 1


async def test_mounts_of_both_versions_are_read_each_in_its_own_way() -> None:
    rig = Rig()
    rig.model.put("app", {"data": {"v": "x"}, "metadata": {"version": 3}}, mount="kv1")
    secret = await rig.get("app", mount="kv1")

    assert secret.value.reveal() == '{"data":{"v":"x"},"metadata":{"version":3}}'
    assert secret.version == "unversioned"


async def test_a_version_is_never_served_from_a_mount_without_versions() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "x"}, mount="kv1")

    with refused(SecretNotFound, "version_not_found"):
        await rig.get("app", "7", mount="kv1")
    assert "version" not in rig.targets[-1]


async def test_a_mount_that_was_upgraded_is_read_as_such_at_once() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "x"}, mount="kv1")
    await rig.text("app", mount="kv1")
    rig.model.upgrade("kv1")

    secret = await rig.get("app", mount="kv1")
    assert (secret.version, secret.value.reveal()) == ("1", '{"v":"x"}')


async def test_reads_under_way_while_a_mount_is_upgraded_all_find_their_secrets() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "x"}, mount="kv1")
    await rig.text("app", mount="kv1")
    rig.model.upgrade("kv1")

    values = await asyncio.gather(*(rig.text("app", mount="kv1") for _ in range(5)))
    assert values == ['{"v":"x"}'] * 5


async def test_a_mount_being_upgraded_opens_no_breaker_and_then_serves() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "x"}, mount="kv1")
    await rig.text("app", mount="kv1")
    rig.model.upgrading = 1

    with refused(CallFailed, "mount_upgrading"):
        await rig.text("app", mount="kv1")
    rig.model.upgrade("kv1")
    rig.clock.advance(11)
    assert await rig.text("app", mount="kv1") == '{"v":"x"}'


async def test_a_mount_put_in_another_s_place_is_not_read_as_the_former() -> None:
    rig = Rig()
    rig.model.put("app", {"v": "2"})
    await rig.text("app")
    rig.model.mounts["", "secret"] = 1
    rig.model.put("data/app", {"data": {"v": "wrong"}, "metadata": {"version": 1}})
    rig.model.put("app", {"v": "right"})

    assert await rig.text("app") == '{"v":"right"}'


async def test_misses_ask_for_the_mount_s_version_now_and_then_only() -> None:
    rig = Rig()
    for _ in range(5):
        with pytest.raises(SecretNotFound):
            await rig.text("app/nothing")
    assert len([target for target in rig.targets if "mounts" in target]) == 1

    rig.clock.advance(11)
    for _ in range(5):
        with pytest.raises(SecretNotFound):
            await rig.text("app/nothing")
    assert len([target for target in rig.targets if "mounts" in target]) == 2


async def test_a_version_that_the_operator_fixes_is_never_asked_for() -> None:
    rig = Rig(fixed=2)
    rig.model.put("app", {})

    assert await rig.text("app") == "{}"
    assert rig.targets == ["secret/data/app"]


async def test_a_mount_that_is_not_there_or_not_permitted_is_denied() -> None:
    rig = Rig()

    with refused(Unauthorized, "read_denied"):
        await rig.text("app", mount="gone")


async def test_another_engine_than_a_key_value_one_is_refused() -> None:
    rig = Rig()
    await rig.tokens.current()
    rig.calls.instead = ["detect_several_segments"]

    with refused(UpstreamError, "mount_not_found"):
        await rig.text("app", mount="pki")
