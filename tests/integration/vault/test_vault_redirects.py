"""Redirects: one is followed, with the path unchanged, to a node that the operator has listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.model.errors import StoreUnavailable
from tests.support.infisical_model import Call, Result
from tests.support.vault_server import VaultServer, recorded_result

if TYPE_CHECKING:
    from tests.integration.vault.conftest import OpenAdapter


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

        with pytest.raises(StoreUnavailable) as refused:
            await adapter.get("app", seconds=1)
        assert refused.value.reason == "no_active_node"
        assert server.targets == []
        assert {call.path for call in answer.calls} == {"/v1/auth/approle/login"}
