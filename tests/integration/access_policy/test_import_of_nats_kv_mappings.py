"""Importing mappings from a bucket on a real server."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nats
import pytest
from nats.js.api import KeyValueConfig
from typer.testing import CliRunner, Result

from adapters.access_policy.document import read_policy
from adapters.access_policy.draft_from_mappings import (
    MappingsError,
    read_mappings,
    state_bucket,
)
from adapters.crypto.nkeys_text import KeyKind, encode_public
from bootstrap.cli import policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from nats.aio.client import Client

    from bootstrap.local.nats_server import LocalNatsServer
    from tests.integration.conftest import StartNatsServer

COMPONENT = encode_public(KeyKind.COMPONENT, b"c" * 32)
PROVIDER = encode_public(KeyKind.PROVIDER, b"p" * 32)
ACCOUNT = encode_public(KeyKind.ACCOUNT, b"a" * 32)


async def write_mappings(url: str, backend: str, mappings: Mapping[str, bytes]) -> None:
    """Make the bucket as secrets-nats-kv does, with one mapping removed again."""
    client = await nats.connect(url)
    bucket = await client.jetstream().create_key_value(KeyValueConfig(state_bucket(backend)))
    for entity, stored in mappings.items():
        await bucket.put(entity, stored)
    await bucket.put("REMOVED", b"[]")
    await bucket.delete("REMOVED")
    await client.close()


async def test_mappings_are_read_as_they_are_stored(nats_url: str, subject_prefix: str) -> None:
    stored = {COMPONENT: b'["a","b/c"]', PROVIDER: b"[]"}
    await write_mappings(nats_url, subject_prefix, stored)
    client = await nats.connect(nats_url)

    try:
        assert await read_mappings(client, subject_prefix) == stored
    finally:
        await client.close()


async def test_a_bucket_without_mappings_has_none(nats_url: str, subject_prefix: str) -> None:
    await write_mappings(nats_url, subject_prefix, {})
    client = await nats.connect(nats_url)

    try:
        assert await read_mappings(client, subject_prefix) == {}
    finally:
        await client.close()


async def test_a_missing_bucket_is_named(nats_url: str) -> None:
    client = await nats.connect(nats_url)

    try:
        with pytest.raises(MappingsError, match="There is no bucket SECRETS_none_state"):
            await read_mappings(client, "none")
        with pytest.raises(MappingsError, match="give the name alone"):
            await read_mappings(client, "a b.c")
    finally:
        await client.close()


async def test_a_server_without_jetstream_is_one_line(start_nats_server: StartNatsServer) -> None:
    server: LocalNatsServer = await start_nats_server()
    client = await nats.connect(server.url)

    try:
        with pytest.raises(MappingsError, match="check that JetStream is on"):
            await read_mappings(client, "old")
    finally:
        await client.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(policy.app, list(words))


@pytest.mark.parametrize(("name", "code"), [("none", 1), ("a.b", 2)])
def test_a_bucket_that_is_missing_is_a_failure_and_an_unusable_name_asked_wrongly(
    nats_url: str, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    @asynccontextmanager
    async def open_nats() -> AsyncIterator[Client]:
        client = await nats.connect(nats_url)
        try:
            yield client
        finally:
            await client.close()

    monkeypatch.setattr(policy, "open_nats", open_nats)

    assert run("import-nats-kv", "--bucket-name", name).exit_code == code


def test_the_command_makes_a_draft_that_works_once_it_is_filled_in(
    nats_url: str, subject_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def open_nats() -> AsyncIterator[Client]:
        await write_mappings(
            nats_url, subject_prefix, {COMPONENT: json.dumps(["api_key"]).encode()}
        )
        client = await nats.connect(nats_url)
        try:
            yield client
        finally:
            await client.close()

    monkeypatch.setattr(policy, "open_nats", open_nats)

    result = run("import-nats-kv", "--bucket-name", subject_prefix)

    assert result.exit_code == 0, result.stderr
    filled = result.stdout.replace(": FILL-IN\n", f": {ACCOUNT}\n").replace("FILL-IN-1", "team")
    (grant,) = read_policy(filled.encode()).rules.grants
    assert [pattern.subjects for pattern in grant.entities] == [frozenset({COMPONENT})]
    assert [path.text for secrets in grant.secrets for path in secrets.paths] == ["/api_key"]
