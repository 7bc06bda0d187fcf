"""`check` and `serve --check` with a real nats-server: what is found, and left as it is."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import nats
import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.seed_file import write_seed
from adapters.crypto.token_signer import SigningKey
from tests.support.command_line import CommandLine
from tests.support.environments import new_xkey_seed
from tests.support.service_process import ServiceProcess

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.nats_kv.operating import NatsKvSecretWriter
    from tests.integration.conftest import StartNatsServer

Settings = dict[str, str]

RULES = """\
version: 1
issuers:
  team: {key}
grants:
  - name: payments
    entities: [{{issuer: team, names: [checkout]}}]
    secrets: [{{keys: ["/payments/**"]}}]
"""


@pytest.fixture
def seeds(tmp_path: Path) -> None:
    write_seed(tmp_path / "encryption.seed", new_xkey_seed())
    write_seed(tmp_path / "server.seed", new_xkey_seed())


async def found(
    settings: Settings, folder: Path, *command: str
) -> tuple[int, list[dict[str, str]]]:
    """Return the exit code and the findings."""
    code, out, said = await CommandLine(settings, folder).run(*(command or ("check",)), "--json")
    assert said == ""
    document = json.loads(out)
    assert document["exit_code"] == code
    return code, document["findings"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def texts(findings: list[dict[str, str]], level: str) -> str:
    return "\n".join(one["text"] for one in findings if one["level"] == level)


@pytest.mark.usefixtures("seeds")
async def test_all_is_well_beside_a_running_replica(
    nats_kv_settings: Settings, tmp_path: Path, writer: NatsKvSecretWriter
) -> None:
    await writer.put("KEY", "canary-value")
    policy = tmp_path / "policy.yaml"
    policy.write_text(RULES.format(key=SigningKey.generate(KeyKind.ACCOUNT).public))
    settings = nats_kv_settings | {
        "ACCESS_POLICY_FILE": str(policy),
        "AUDIT_FILE": str(tmp_path / "audit.log"),
        "NATS_INBOX_PREFIX": "_INBOX_BACKEND",
    }

    async with ServiceProcess(nats_kv_settings, tmp_path) as service:
        code, findings = await found(settings, tmp_path)
        requests = service.logged("secret_request")

    fine = texts(findings, "ok")
    assert (code, texts(findings, "failed"), texts(findings, "misconfigured")) == (0, "", "")
    for said in (
        "payments: team: named checkout may read /payments/**",
        "server.seed, mode 0600",
        "GiB free",
        "logged in at 127.0.0.1",
        "may subscribe to",
        "may publish replies",
        "max_payload 1048576",
        "NATS",
        "announces the same server key",
        "answers",
    ):
        assert said in fine
    # It took no host's request, and made no file.
    assert {record["operation"] for record in requests} <= {"server_xkey"}
    assert not (tmp_path / "audit.log").exists()


async def test_nothing_is_made_where_nothing_is_there_yet(
    nats_kv_settings: Settings, nats_url: str, tmp_path: Path
) -> None:
    settings = nats_kv_settings | {"AUDIT_STREAM": "AUDIT_OF_CHECK"}
    before = names_in(tmp_path)

    code, findings = await found(settings, tmp_path)

    assert code == 0
    assert "ENCRYPTION_XKEY_SEED_FILE does not exist" in texts(findings, "warning")
    assert "AUDIT_OF_CHECK does not exist" in texts(findings, "ok")
    assert names_in(tmp_path) == before
    client = await nats.connect(nats_url)
    names = [info.config.name for info in await client.jetstream().streams_info()]
    await client.close()
    assert "AUDIT_OF_CHECK" not in names
    assert f"KV_{settings['NATS_KV_BUCKET']}" not in names


@pytest.mark.usefixtures("seeds")
async def test_what_may_be_in_another_jetstream_domain_is_pointed_out_unless_one_was_chosen(
    nats_kv_settings: Settings, start_nats_server: StartNatsServer, tmp_path: Path
) -> None:
    leaf = await start_nats_server(
        f'jetstream {{ store_dir: "{tmp_path / "jetstream"}", domain: leaf }}'
    )
    settings = nats_kv_settings | {"NATS_URL": leaf.url, "AUDIT_STREAM": "AUDIT_OF_CHECK"}

    code, findings = await found(settings, tmp_path)
    _, chosen = await found(settings | {"NATS_JETSTREAM_PREFIX": "$JS.leaf.API"}, tmp_path)

    for made in ("AUDIT_STREAM: AUDIT_OF_CHECK", f"bucket {settings['NATS_KV_BUCKET']}"):
        assert f"{made} does not exist in the JetStream domain leaf" in texts(findings, "warning")
    assert code == 0
    assert "domain" not in texts(chosen, "warning")


@pytest.mark.usefixtures("seeds")
async def test_a_wrong_encryption_seed_and_a_missing_bucket_are_told_apart(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    code, findings = await found(nats_kv_settings, tmp_path)
    assert (code, "does not exist; `serve` makes it" in texts(findings, "warning")) == (0, True)
    await CommandLine(nats_kv_settings, tmp_path).run(
        "kv", "put", "KEY", "--create-bucket", stdin=b"value"
    )
    other = nats_kv_settings | {
        "ENCRYPTION_XKEY_SEED_FILE": "",
        "ENCRYPTION_XKEY_SEED": new_xkey_seed(),
    }

    code, findings = await found(other, tmp_path, "serve", "--check")

    assert code == 2
    assert "none of the 1 looked at opens" in texts(findings, "misconfigured")


@pytest.mark.usefixtures("seeds")
async def test_missing_permissions_are_named(
    nats_kv_settings: Settings, tmp_path: Path, start_nats_server: StartNatsServer
) -> None:
    server = await start_nats_server(
        """
        authorization { users: [ { user: backend, password: pass, permissions: {
          publish: { allow: ["$SYS.REQ.USER.INFO", "$JS.API.>"] }
          subscribe: { allow: ["_INBOX.>"] } } } ] }
        """,
        jetstream=True,
    )
    settings = nats_kv_settings | {
        "NATS_URL": server.url,
        "NATS_USER": "backend",
        "NATS_PASSWORD": "pass",
    }

    code, findings = await found(settings, tmp_path)

    assert code == 1
    failed = texts(findings, "failed")
    assert "may not subscribe to" in failed
    assert "may not publish replies" in failed


@pytest.mark.usefixtures("seeds")
async def test_what_is_wrong_on_this_machine_is_said_without_a_connection(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "server.seed").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = nats_kv_settings | {
            "NATS_URL": "nats://127.0.0.1:1",
            "ADMIN_ADDR": f":{taken.getsockname()[1]}",
            "AUDIT_FILE": str(tmp_path / "absent" / "audit.log"),
        }
        code, findings = await found(settings, tmp_path)

    warnings = texts(findings, "warning")
    assert code == 2
    assert "other users may use" in warnings
    assert "is taken" in warnings
    assert "folder_missing" in texts(findings, "misconfigured")


@pytest.mark.usefixtures("seeds")
async def test_a_server_that_does_not_answer_is_a_failure_with_a_mark(
    nats_kv_settings: Settings, tmp_path: Path
) -> None:
    command = CommandLine(nats_kv_settings | {"NATS_URL": "nats://127.0.0.1:1"}, tmp_path)

    code, out, _ = await command.run("check")

    lines = out.decode().splitlines()
    assert code == 1
    assert any(line.startswith("✗ transport  Failed to connect") for line in lines)
    assert any(line.startswith("✓ settings") for line in lines)
    assert any(line.startswith("! policy") for line in lines)


async def test_wrong_settings_are_all_listed(nats_kv_settings: Settings, tmp_path: Path) -> None:
    wrong = {"MAX_IN_FLIGHT": "canary", "NATS_TOKEN": "canary", "NATS_USER": "canary"}

    code, findings = await found(nats_kv_settings | wrong, tmp_path)

    said = texts(findings, "misconfigured")
    assert code == 2
    assert "MAX_IN_FLIGHT" in said
    assert "NATS_PASSWORD" in said
    assert "canary" not in json.dumps(findings)
