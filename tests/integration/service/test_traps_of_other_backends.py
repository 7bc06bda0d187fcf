"""The faults found in other backends, each looked for in this one from the outside.

Three more are looked for elsewhere: that a new xkey is not made at each start, that replicas with
different keys do not run together, and that tokens are renewed before they expire.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey, sign_token
from adapters.crypto.xkeys import SodiumKeyExchange
from domain.model.errors import InvalidEntityJwt, InvalidRequest, SecretNotFound, Unauthorized
from domain.model.messages import Application, RequestContext, SecretRequest
from domain.model.replies import read_error
from tests.support.host import ISSUED_AT, new_token
from tests.support.infisical_model import refusal
from tests.support.infisical_server import Break
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.support.host import Host
    from tests.support.infisical_model import Call, Result
    from tests.support.infisical_server import InfisicalServer

Settings = dict[str, str]
VALUE = "canary-value-58f2"


async def test_secrets_are_not_printed_at_any_level(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", VALUE)

    async with ServiceProcess(nats_kv_settings | {"LOG_LEVEL": "debug"}, tmp_path) as service:
        assert (await host.get("KEY")).value.reveal() == VALUE
        await service.wait_for("secret_request", count=2)

    assert VALUE not in service.output


async def test_errors_are_in_clear_and_in_a_shape_the_client_parses(
    nats_kv_settings: Settings, tmp_path: Path, host: Host
) -> None:
    async with ServiceProcess(nats_kv_settings, tmp_path):
        reply = await host.channel.request("get", b"garbage", None, 5)

    assert reply.response_xkey is None
    assert json.loads(reply.body) == {"error": "InvalidHeaders"}


async def test_signatures_are_checked(
    nats_kv_settings: Settings, tmp_path: Path, host: Host
) -> None:
    genuine, other = (
        new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.COMPONENT) for _ in range(2)
    )
    forged = ".".join((*genuine.split(".")[:2], other.split(".")[2]))

    async with ServiceProcess(nats_kv_settings, tmp_path):
        with pytest.raises(InvalidEntityJwt, match="signature"):
            await host.get("KEY", entity_token=forged)


async def test_a_request_of_no_application_is_served(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", VALUE)
    tokens = {"entity_jwt": host.entity_token, "host_jwt": host.host_token}

    async with ServiceProcess(nats_kv_settings, tmp_path):
        for application in (None, Application(name=None, policy="")):
            context = RequestContext(**tokens, application=application)
            secret = await host.client.get(SecretRequest(key="KEY", context=context))
            assert secret.value.reveal() == VALUE


async def test_one_slow_secret_does_not_hold_up_another(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    infisical.model.put("FAST", "fast")

    async with ServiceProcess(infisical_settings, tmp_path):
        infisical.breaks.append(Break.HANG)
        slow = asyncio.create_task(host.get("SLOW"))
        async with asyncio.timeout(5):
            while infisical.breaks:  # noqa: ASYNC110  the server knows no event for it
                await asyncio.sleep(0.01)
        fast = await asyncio.wait_for(host.get("FAST"), 2)
        slow.cancel()

    assert fast.value.reveal() == "fast"


async def test_the_version_answered_is_the_one_fetched(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    old = await writer.put("KEY", "old")
    await writer.put("KEY", "new")

    async with ServiceProcess(nats_kv_settings, tmp_path):
        secret = await host.get("KEY", version=old)
        with pytest.raises(SecretNotFound):
            await host.get("KEY", version="999")

    assert (secret.version, secret.value.reveal()) == (old, "old")


async def test_binary_and_empty_values_arrive_exactly(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    binary = bytes(range(256))
    await writer.put("BINARY", binary)
    await writer.put("EMPTY", "")

    async with ServiceProcess(nats_kv_settings, tmp_path):
        assert (await host.get("BINARY")).value.reveal() == binary
        assert (await host.get("EMPTY")).value.reveal() == ""


@pytest.mark.parametrize("header", ["", "not a key", "X" * 56, "\u2713" * 20, "A" * 5000])
async def test_a_bad_header_is_answered_and_the_service_lives(
    nats_kv_settings: Settings,
    tmp_path: Path,
    host: Host,
    writer: NatsKvSecretWriter,
    header: str,
) -> None:
    await writer.put("KEY", VALUE)

    async with ServiceProcess(nats_kv_settings, tmp_path):
        reply = await host.channel.request("get", b"body", header, 5)
        assert reply.response_xkey is None
        read_error(reply.body)
        assert (await host.get("KEY")).value.reveal() == VALUE


async def test_an_issuer_no_longer_trusted_gets_nothing(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", VALUE)
    team = SigningKey.generate(KeyKind.ACCOUNT)
    token = new_token(team, KeyKind.COMPONENT)
    trusted = nats_kv_settings | {"TRUSTED_ISSUERS": team.public}
    other = SigningKey.generate(KeyKind.ACCOUNT).public

    async with ServiceProcess(trusted, tmp_path):
        assert (await host.get("KEY", entity_token=token)).value.reveal() == VALUE
    async with ServiceProcess(trusted | {"TRUSTED_ISSUERS": other}, tmp_path):
        with pytest.raises(Unauthorized):
            await host.get("KEY", entity_token=token)


async def test_identity_is_the_tokens_subject_and_never_its_id(
    nats_kv_settings: Settings, tmp_path: Path, host: Host
) -> None:
    claimed, real = (SigningKey.generate(KeyKind.COMPONENT).public for _ in range(2))
    team = SigningKey.generate(KeyKind.ACCOUNT)
    token = sign_token(team, real, token_id=claimed, issued_at=ISSUED_AT)

    async with ServiceProcess(nats_kv_settings, tmp_path) as service:
        with pytest.raises(SecretNotFound):
            await host.get("KEY", entity_token=token)
        record = await service.wait_for("secret_request", count=2)

    assert record["entity"] == real


async def test_a_field_that_is_no_text_and_a_value_that_is_no_object_harm_nobody(
    nats_kv_settings: Settings, tmp_path: Path, host: Host, writer: NatsKvSecretWriter
) -> None:
    await writer.put("JSON", '{"port": 5432}')
    await writer.put("TEXT", "plain")

    async with ServiceProcess(nats_kv_settings, tmp_path):
        assert (await host.get("JSON", field="port")).value.reveal() == "5432"
        with pytest.raises(InvalidRequest):
            await host.get("TEXT", field="port")


async def test_the_upstreams_own_words_stay_with_the_service(
    infisical_settings: Settings, tmp_path: Path, host: Host, infisical: InfisicalServer
) -> None:
    async with ServiceProcess(infisical_settings, tmp_path):
        infisical.answer = _refuse_with_words
        reply = await _raw_refusal(host)

    assert b"canary" not in reply
    read_error(reply)


def _refuse_with_words(_: Call) -> Result:
    return refusal(400, "canary label", "canary message with a secret's name")


async def _raw_refusal(host: Host) -> bytes:
    one_time = SodiumKeyExchange().generate()
    context = RequestContext(entity_jwt=host.entity_token, host_jwt=host.host_token)
    request = SecretRequest(key="KEY", context=context)
    sealed = one_time.seal(request.to_json(), await host.client.server_xkey())
    reply = await host.channel.request("get", sealed, one_time.public, 10)
    assert reply.response_xkey is None
    return reply.body
