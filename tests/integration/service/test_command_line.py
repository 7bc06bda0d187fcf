"""The command line against a running service: store, ask, be refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from tests.support.command_line import CommandLine
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_kv_put_stores_request_gets(
    nats_kv_settings: dict[str, str], tmp_path: Path, command_line: CommandLine
) -> None:
    async with ServiceProcess(nats_kv_settings, tmp_path):
        await command_line.run("kv", "put", "payments/LOGIN", stdin=b'{"user": "ann"}')
        await command_line.run("kv", "put", "payments/CERT", stdin=b"\x00\xff")
        raw = await command_line.run("request", "payments/LOGIN")
        field = await command_line.run("request", "payments/LOGIN", "--field", "user")
        binary = await command_line.run("request", "payments/CERT", "--raw")
        document = await command_line.run("request", "payments/CERT", "--output", "json")

    assert raw == (0, b'{"user": "ann"}', "")
    assert field == (0, b"ann", "")
    assert binary == (0, b"\x00\xff", "")
    secret = json.loads(document[1])["secret"]
    assert (secret["string_secret"], secret["binary_secret"]) == (None, [0, 255])


async def test_a_refusal_is_the_protocols_error_and_exit_code_1(
    nats_kv_settings: dict[str, str], tmp_path: Path, command_line: CommandLine
) -> None:
    async with ServiceProcess(nats_kv_settings, tmp_path):
        missing = await command_line.run("request", "NOTHING")
        policy = await command_line.run("request", "NOTHING", "--property", "environment=dev")

    assert (missing[0], missing[1]) == (1, b"")
    assert missing[2].startswith("SecretNotFound: ")
    assert (policy[0], policy[1]) == (1, b"")
    assert policy[2].startswith("PolicyError: ")


async def test_a_trusted_issuers_seed_opens_what_a_made_up_identity_cannot(
    nats_kv_settings: dict[str, str], tmp_path: Path, command_line: CommandLine
) -> None:
    issuer = SigningKey.generate(KeyKind.ACCOUNT)
    (tmp_path / "issuer").write_text(issuer.seed_text())

    async with ServiceProcess(nats_kv_settings | {"TRUSTED_ISSUERS": issuer.public}, tmp_path):
        await command_line.run("kv", "put", "KEY", stdin=b"value")
        stranger = await command_line.run("request", "KEY")
        member = await command_line.run("request", "KEY", "--issuer-seed-file", "issuer")

    assert stranger[0] == 1
    assert stranger[2].startswith("Unauthorized: ")
    assert member == (0, b"value", "")


async def test_without_a_service_it_says_what_to_check(command_line: CommandLine) -> None:
    code, out, err = await command_line.run("request", "KEY")

    assert (code, out) == (1, b"")
    assert "No service listens on" in err


async def test_without_a_nats_server_it_says_what_to_check(
    nats_kv_settings: dict[str, str], tmp_path: Path
) -> None:
    away = CommandLine(nats_kv_settings | {"NATS_URL": "nats://127.0.0.1:1"}, tmp_path)

    asked, stored = await away.run("request", "KEY"), await away.run("kv", "list")
    tailed = await away.run("audit", "tail", "--no-follow")

    assert (asked[0], stored[0], tailed[0]) == (1, 1, 1)
    for _, _, err in (asked, stored, tailed):
        assert err.startswith("Failed to connect to NATS at nats://127.0.0.1:1")


async def test_wrong_nats_settings_are_told_to_commands_that_need_nats(
    nats_kv_settings: dict[str, str], tmp_path: Path
) -> None:
    wrong = CommandLine(nats_kv_settings | {"NATS_USER": "without-password"}, tmp_path)

    for command in (("audit", "tail"), ("policy", "import-nats-kv")):
        code, _, err = await wrong.run(*command)
        assert code == 2
        assert "NATS_PASSWORD must be set as well" in err
