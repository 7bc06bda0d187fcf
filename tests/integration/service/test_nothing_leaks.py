"""Every path at the most talkative log level, and not one secret among what it wrote."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.errors import SecretsError
from domain.model.policy_properties import PROPERTIES_TYPE
from domain.model.transport import Operation
from ports.transport import ChannelError
from tests.support.environments import new_xkey_seed
from tests.support.host import Host, new_token
from tests.support.infisical_model import CLIENT_SECRET, Result
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.integration.conftest import StartNatsServer
    from tests.support.infisical_server import InfisicalServer

VALUE = "canary-value-c0ffee"
UPSTREAM_WORDS = "canary-upstream-words"
NATS_PASSWORD = "canary-nats-password"


def no_leak(service: ServiceProcess, secrets: Iterable[str]) -> None:
    """Fail if any of them, or anything a canary, is in the output."""
    assert "canary" not in service.output
    for secret in secrets:
        assert secret not in service.output


async def ask_in_every_way(host: Host) -> None:
    """Send what succeeds, and everything that fails on the core's side."""
    issuer = SigningKey.generate(KeyKind.ACCOUNT)
    forged = host.entity_token[:-8] + "AAAAAAAA"
    # What a manifest's policy says is no secret: the audit trail may show it.
    policy = {"type": PROPERTIES_TYPE, "properties": {"unknown": "property"}}
    for arguments in (
        {"key": "JSON"},
        {"key": "JSON", "field": "user"},
        {"key": "JSON", "field": "nested"},
        {"key": "JSON", "field": "missing"},
        {"key": "TEXT", "field": "any"},
        {"key": "JSON", "version": "1"},
        {"key": "JSON", "version": "99"},
        {"key": "JSON", "version": "latest"},
        {"key": "NOTHING"},
        {"key": "../JSON"},
        {"key": "JSON", "policy": json.dumps(policy)},
        {"key": "JSON", "policy": f'{{"type": "{VALUE}"'},
        {"key": "JSON", "entity_token": forged},
        {"key": "JSON", "entity_token": VALUE},
        {"key": "JSON", "entity_token": new_token(issuer, KeyKind.HOST)},
        {"key": "JSON", "host_token": forged},
    ):
        with contextlib.suppress(SecretsError):
            await host.get(**arguments)
    for body, xkey in (
        (b"", None),
        (VALUE.encode(), None),
        (VALUE.encode(), VALUE),
        (VALUE.encode(), SodiumXKeyPair.generate().public),
        (VALUE.encode() * 20_000, "X" + "A" * 55),
    ):
        await host.channel.request(Operation.GET, body, xkey, 5)
    await host.channel.request("unknown", VALUE.encode(), None, 5)


def outcomes(service: ServiceProcess) -> set[str]:
    return {record["reason"] for record in service.logged("secret_request")}


async def test_nothing_leaks_with_infisical(
    infisical_settings: dict[str, str], tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    seed, retired = new_xkey_seed(), new_xkey_seed()
    value = json.dumps({"user": VALUE, "nested": {"password": VALUE}})
    infisical.model.put("JSON", value)
    infisical.model.put("TEXT", VALUE)
    infisical.model.put("BASE64", VALUE, secretMetadata=[{"key": "encoding", "value": "base64"}])
    infisical.model.put("UNRESOLVED", f"${{{VALUE}}}")
    settings = infisical_settings | {
        "LOG_LEVEL": "debug",
        "SERVER_XKEY_SEED_FILE": "",
        "SERVER_XKEY_SEED": seed,
        "SERVER_XKEY_RETIRED_SEEDS": retired,
        "REQUEST_TIMEOUT_SECONDS": "2",
        "INFISICAL_READ_TIMEOUT_SECONDS": "0.5",
        # Else what follows one failure would only hear of it again.
        "CACHE_TTL_SECONDS": "0",
    }

    async with ServiceProcess(settings, tmp_path) as service:
        tokens = set(infisical.model.valid_tokens)
        await ask_in_every_way(host)
        for key in ("BASE64", "UNRESOLVED"):
            with contextlib.suppress(SecretsError):
                await host.get(key)
        failures = (
            Result(500, {"statusCode": 500, "error": UPSTREAM_WORDS, "message": VALUE}),
            Result(422, {"statusCode": 422, "error": UPSTREAM_WORDS, "message": VALUE}),
            Result(403, {"statusCode": 403, "error": "PermissionDenied", "message": VALUE}),
            Result(403, {"statusCode": 403, "error": "TokenError", "message": VALUE}),
            Result(200, {"secret": {"secretValue": VALUE, "version": VALUE}}),
            Result(200, VALUE.encode()),
        )
        for failure in failures:
            infisical.model.faults.append(failure)
            with contextlib.suppress(SecretsError, ChannelError):
                await host.get("TEXT")
        for broken in (Break.RESET, Break.HALF, Break.CLOSE, Break.HANG):
            infisical.breaks.append(broken)
            with contextlib.suppress(SecretsError, ChannelError):
                await host.get("TEXT")
        # The last one: it makes the service pause.
        infisical.model.faults.append(
            Result(429, {"statusCode": 429, "error": UPSTREAM_WORDS, "message": VALUE})
        )
        with contextlib.suppress(SecretsError, ChannelError):
            await host.get("TEXT")
        assert await service.stop() == 0

    assert len(outcomes(service)) > 12
    assert outcomes(service) >= {
        "infisical_answer_unreadable",
        "infisical_encoding_broken",
        "infisical_rate_limited",
        "infisical_read_denied",
        "infisical_reference_unresolved",
    }
    hidden = {CLIENT_SECRET, seed, retired, host.entity_token, host.host_token}
    no_leak(service, hidden | tokens | infisical.model.valid_tokens)


async def test_nothing_leaks_with_nats_kv(
    nats_kv_settings: dict[str, str], tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("JSON", json.dumps({"user": VALUE, "nested": {"password": VALUE}}))
    await writer.put("TEXT", VALUE)
    settings = nats_kv_settings | {"LOG_LEVEL": "debug", "CACHE_TTL_SECONDS": "5"}

    async with ServiceProcess(settings, tmp_path) as service:
        await ask_in_every_way(host)
        assert await service.stop() == 0

    assert len(outcomes(service)) > 12
    files = [tmp_path / "server.seed", tmp_path / "encryption.seed"]
    seeds = {path.read_text().strip() for path in files}
    no_leak(service, seeds | {host.entity_token, host.host_token})


@pytest.mark.parametrize("accepted", [True, False])
async def test_nothing_leaks_of_how_it_logs_in_to_nats(
    start_nats_server: StartNatsServer,
    nats_kv_settings: dict[str, str],
    tmp_path: Path,
    accepted: bool,
) -> None:
    known = NATS_PASSWORD if accepted else "another"
    server = await start_nats_server(
        f'authorization {{ user: "service", password: "{known}" }}', jetstream=True
    )
    settings = nats_kv_settings | {
        "LOG_LEVEL": "debug",
        "NATS_URL": server.url.replace("nats://", f"nats://service:{NATS_PASSWORD}@"),
    }

    service = ServiceProcess(settings, tmp_path)
    await service.start()
    if accepted:
        await service.wait_for("service.ready")
        await server.restart()
        await service.wait_for("nats.reconnected")
        assert await service.stop() == 0
    else:
        refused = await service.wait_for("service.not_ready")
        assert "rejected the credentials" in refused["advice"]
        assert await service.stop() == 0

    no_leak(service, {NATS_PASSWORD})
