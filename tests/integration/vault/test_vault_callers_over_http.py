"""Reads in the caller's name over real sockets, verified by the server with the published keys."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from domain.model.errors import CallFailed, Unauthorized, UpstreamError
from domain.model.identity import AccountKey, Caller, SubjectKey
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from ports.store_plugin import HttpRequest
from tests.contracts.secret_store import CALLER
from tests.support.refused import refused
from tests.support.vault_logins import decode_segment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.vault.conftest import Adapter, OpenAdapter
    from tests.support.vault_server import VaultServer

OTHER = replace(
    CALLER,
    entity=replace(
        CALLER.entity, subject=SubjectKey("MOTHER"), issuer=AccountKey("AOTHER"), name="other"
    ),
    application="shop",
)


def write_keys(file: Path, *seeds: bytes) -> None:
    """Write a key file as openssl does."""
    prefix = bytes.fromhex("302e020100300506032b657004220420")
    bodies = (base64.b64encode(prefix + seed).decode() for seed in seeds)
    file.write_text(
        "".join(
            f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n" for body in bodies
        ),
        "utf-8",
    )


async def publish(adapter: Adapter, server: VaultServer) -> None:
    """Have the server fetch the JWKS, as it does by `jwks_url`."""
    routes = {route.path: route for route in adapter.parts.routes}
    response = await routes["/vault/jwks.json"].handle(HttpRequest({}, b""))
    assert response.content_type == "application/jwk-set+json"
    keys = json.loads(response.body)["keys"]
    server.model.logins.jwt_keys = [decode_segment(key["x"]) for key in keys]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys.pem"
    write_keys(file, b"\x05" * 32)
    return file


@pytest_asyncio.fixture
async def adapter(server: VaultServer, open_adapter: OpenAdapter, key_file: Path) -> Adapter:
    adapter = open_adapter(
        server.url,
        VAULT_LOGIN="caller",
        VAULT_ROLE="demo",
        VAULT_ALLOWED_ROLES="other",
        VAULT_JWT_KEY_FILE=str(key_file),
    )
    await publish(adapter, server)
    server.model.logins.token_type = "batch"
    server.model.put("app", {"v": "x"})
    return adapter


async def test_each_read_is_one_round_trip_and_leaves_no_token(
    server: VaultServer, adapter: Adapter
) -> None:
    await adapter.parts.check.check()
    tokens, before = set(server.model.logins.tokens), len(server.targets)
    for caller in (CALLER, OTHER):
        assert await adapter.text("app", caller=caller) == '{"v":"x"}'

    assert len(server.targets) - before == 2
    assert server.model.logins.tokens == tokens
    assert [claims["sub"] for claims in server.model.logins.claims[-2:]] == ["M1", "MOTHER"]
    assert server.model.logins.claims[-1]["unproven_application"] == "shop"


async def test_a_server_without_inline_login_gets_one_login_for_each_caller(
    server: VaultServer, adapter: Adapter
) -> None:
    server.model.logins.knows_inline = False
    for caller in (CALLER, OTHER, CALLER, OTHER):
        assert await adapter.text("app", caller=caller) == '{"v":"x"}'

    assert server.model.logins.logins == 2
    assert [call.method for call in server.model.calls].count("POST") == 2


async def test_answers_are_shared_among_equal_callers_only(adapter: Adapter) -> None:
    partition = adapter.parts.partition
    assert partition is not None

    assert partition(CALLER) == partition(replace(CALLER, host=OTHER.host))
    assert partition(CALLER) != partition(replace(CALLER, application="shop"))
    assert partition(CALLER) != partition(OTHER)


async def test_a_role_may_be_chosen_from_the_list_alone(
    server: VaultServer, adapter: Adapter
) -> None:
    server.model.logins.jwt_roles["other"] = "Vault"
    assert await adapter.text("app", role_name="other") == '{"v":"x"}'

    del server.model.logins.jwt_roles["other"]
    with refused(UpstreamError, "role_not_found"):
        await adapter.text("app", role="other")


async def test_a_caller_that_the_role_does_not_cover_is_unauthorized(
    server: VaultServer, adapter: Adapter
) -> None:
    await adapter.text("app")
    server.instead = ["inline_bound_claim_wrong"]

    with refused(Unauthorized, "caller_login_refused"):
        await adapter.text("app")


async def test_keys_rotate_without_a_request_refused(
    server: VaultServer, adapter: Adapter, key_file: Path
) -> None:
    old, new = b"\x05" * 32, b"\x06" * 32
    for seeds in ((old, new), (new, old), (new,)):
        write_keys(key_file, *seeds)
        adapter.parts.reload()
        # The server's copy is the former one until it meets a key that it does not know.
        assert await adapter.text("app") == '{"v":"x"}'
        await publish(adapter, server)
        assert await adapter.text("app") == '{"v":"x"}'


@pytest.mark.parametrize(
    ("published", "kind"), [("true", StoreUnreachableError), ("false", StoreMisconfiguredError)]
)
async def test_a_key_that_the_server_does_not_know_is_found_by_the_check(
    server: VaultServer,
    open_adapter: OpenAdapter,
    key_file: Path,
    published: str,
    kind: type[Exception],
) -> None:
    adapter = open_adapter(
        server.url,
        VAULT_LOGIN="caller",
        VAULT_ROLE="demo",
        VAULT_JWT_KEY_FILE=str(key_file),
        VAULT_PUBLISH_JWT_KEYS=published,
    )
    server.model.logins.jwt_keys = []

    with pytest.raises(kind, match="JWKS address or the public keys"):
        await adapter.parts.check.check()


@pytest.mark.parametrize(
    ("roles", "kind", "words"),
    [
        ({}, StoreMisconfiguredError, "does not know the role"),
        ({"demo": "vault"}, StoreUnreachableError, "VAULT_JWT_AUDIENCE"),
    ],
)
async def test_a_role_that_does_not_fit_is_found_by_the_check(
    server: VaultServer,
    adapter: Adapter,
    roles: dict[str, str],
    kind: type[Exception],
    words: str,
) -> None:
    server.model.logins.jwt_roles = roles

    with pytest.raises(kind, match=words):
        await adapter.parts.check.check()


async def test_a_role_for_components_alone_does_not_fail_the_check(
    server: VaultServer, adapter: Adapter
) -> None:
    await adapter.text("app")
    server.instead = ["inline_bound_claim_wrong"]

    await adapter.parts.check.check()


def test_keys_are_published_unless_the_operator_hands_them_over(
    server: VaultServer, open_adapter: OpenAdapter, key_file: Path
) -> None:
    adapter = open_adapter(
        server.url,
        VAULT_LOGIN="caller",
        VAULT_ROLE="demo",
        VAULT_JWT_KEY_FILE=str(key_file),
        VAULT_PUBLISH_JWT_KEYS="false",
    )

    assert adapter.parts.routes == ()


async def test_the_application_is_part_of_the_login_as_unproven(
    server: VaultServer, adapter: Adapter
) -> None:
    caller: Caller = replace(CALLER, application=None)
    await adapter.text("app", caller=caller)

    assert "unproven_application" not in server.model.logins.claims[-1]
    assert "application" not in server.model.logins.claims[-1]


async def test_a_role_whose_tokens_have_limited_uses_is_named_and_is_no_outage(
    server: VaultServer, adapter: Adapter
) -> None:
    assert await adapter.text("app") == '{"v":"x"}'
    server.instead = ["inline_one_use_role"] * 20

    with pytest.raises(CallFailed, match="token_num_uses") as refused:
        await adapter.get("app")
    assert refused.value.reason == "inline_login_failing"
