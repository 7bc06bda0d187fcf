"""Rate limit quotas of mounts, and redirects to nodes that the operator has listed or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.model.errors import RateLimited, StoreUnavailable
from tests.support.infisical_model import Call, Result
from tests.support.infisical_server import Break
from tests.support.refused import refused
from tests.support.vault_server import VaultServer, recorded_result

if TYPE_CHECKING:
    from tests.integration.vault.conftest import Adapter, OpenAdapter


@pytest.fixture
def adapter(server: VaultServer, open_adapter: OpenAdapter) -> Adapter:
    return open_adapter(server.url, VAULT_KV_VERSION="2")


async def test_a_quota_without_headers_pauses_reads_for_a_second(
    server: VaultServer, adapter: Adapter
) -> None:
    server.instead = ["quota_headers_off_4"]
    with pytest.raises(RateLimited) as refused:
        await adapter.get("app", seconds=0.5)
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 1.5


async def test_a_quota_of_one_mount_pauses_no_read_of_another(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    adapter = open_adapter(server.url, VAULT_ALLOWED_MOUNTS="kv1", VAULT_KV_VERSION="auto")
    server.model.put("app", {"v": "x"})
    server.model.put("app", {"v": "y"}, mount="kv1")
    for mount in ("secret", "kv1"):
        await adapter.get("app", mount=mount)
    server.instead = ["quota_block_3"]
    with pytest.raises(RateLimited) as refused:
        await adapter.get("app")
    sent = len(server.targets)

    assert await adapter.text("app", mount="kv1") == '{"v":"y"}'
    with pytest.raises(RateLimited) as held_back:
        await adapter.get("other")
    assert len(server.targets) == sent + 1
    assert refused.value.retry_after is not None
    assert held_back.value.retry_after is not None
    assert 8 < held_back.value.retry_after <= refused.value.retry_after <= 9
    samples = {sample.name: sample.value for sample in adapter.parts.samples()}
    assert samples["vault_pause_seconds"] == pytest.approx(held_back.value.retry_after, abs=0.5)


async def test_reads_that_wait_for_a_connection_keep_a_pause_that_begins_meanwhile(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    adapter = open_adapter(server.url, VAULT_MAX_CONNECTIONS="3", VAULT_KV_VERSION="2")
    server.model.put("app", {"v": "x"})
    await adapter.get("app")
    sent = len(server.targets)
    server.latency = 0.1
    server.instead = ["quota_block_3"] * 40
    reads = (adapter.get(f"secret-{number}", seconds=2) for number in range(40))
    ends = await asyncio.gather(*reads, return_exceptions=True)

    assert all(isinstance(end, RateLimited) for end in ends)
    assert len(server.targets) - sent <= 3


async def test_what_a_quota_says_of_the_calls_that_are_left_holds_no_read_back(
    server: VaultServer, adapter: Adapter
) -> None:
    server.model.put("app", {"v": "x"})
    await adapter.parts.check.check()
    server.instead = ["quota_headers_on_3"]
    await adapter.get("app")
    server.breaks = [Break.HANG] * 3
    lost = (adapter.get("lost", seconds=0.2) for _ in range(3))
    await asyncio.gather(*lost, return_exceptions=True)

    values = await asyncio.gather(*(adapter.text("app", seconds=2.0) for _ in range(12)))
    assert values == ['{"v":"x"}'] * 12


async def test_a_quota_that_ends_before_the_deadline_is_waited_out(
    server: VaultServer, adapter: Adapter
) -> None:
    server.model.put("app", {"v": "x"})
    server.instead = ["quota_headers_off_4"]

    assert await adapter.text("app") == '{"v":"x"}'


class Redirecting:
    """A standby node that sends logins elsewhere."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Result:
        self.calls.append(call)
        if call.method == "POST":
            return Result(307, b"", {"location": self.location})
        return recorded_result("kv2_read_ok")


async def test_a_redirect_to_a_listed_node_is_followed(
    server: VaultServer, open_adapter: OpenAdapter
) -> None:
    async with VaultServer() as standby:
        standby.answer = Redirecting(f"{server.url}/v1/auth/approle/login")
        adapter = open_adapter(
            standby.url, VAULT_KV_VERSION="2", VAULT_REDIRECT_ADDRESSES=server.url
        )

        assert (await adapter.get("app/db")).version == "3"
        assert server.model.logins.logins == 1


@pytest.mark.parametrize(
    "location",
    [
        "{active}/v1/auth/approle/login?x=1",
        "{active}/v1/auth/other/login",
        "{active}/v1/sys/seal",
        "/v1/auth/approle/login",
        "http://127.0.0.1:1/v1/auth/approle/login",
        "{active}@127.0.0.1/v1/auth/approle/login",
        "",
    ],
)
async def test_any_other_redirect_is_not_followed(
    server: VaultServer, open_adapter: OpenAdapter, location: str
) -> None:
    async with VaultServer() as standby:
        answer = Redirecting(location.format(active=server.url))
        standby.answer = answer
        adapter = open_adapter(standby.url, VAULT_REDIRECT_ADDRESSES=server.url)

        with refused(StoreUnavailable, "no_active_node"):
            await adapter.get("app", seconds=1)
        assert server.targets == []
        assert {call.path for call in answer.calls} == {"/v1/auth/approle/login"}
