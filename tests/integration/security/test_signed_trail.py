"""AUDIT_SIGN: an event that another process adds to the trail, or removes from it, shows."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import nats
import pytest

from tests.contracts.audit import ANSWERED
from tests.support.audit_text import audit_line
from tests.support.command_line import CommandLine
from tests.support.environments import infisical_environment
from tests.support.host import connected_host
from tests.support.service_process import ServiceProcess
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from bootstrap.local.nats_server import LocalNatsServer


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_forged_event_and_a_missing_one_show_and_all_others_are_as_written(
    fresh_nats_server: LocalNatsServer, subject_prefix: str, tmp_path: Path, workers: str
) -> None:
    path = tmp_path / "audit.jsonl"
    settings = infisical_environment() | {
        "NATS_URL": fresh_nats_server.url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "AUDIT_FILE": str(path),
        "AUDIT_STREAM": "TRAIL",
        "AUDIT_SIGN": "true",
        "WORKERS": workers,
        "SERVER_XKEY_SEED_FILE": str(tmp_path / "seed"),
    }
    async with (
        ServiceProcess(settings, tmp_path, ready="nats.listening") as service,
        connected_host(fresh_nats_server.url, subject_prefix) as host,
    ):
        for _ in range(20):
            await host.channel.request("server_xkey", b"", None, 5)
        await host.channel.request("anything", b"x", None, 5)
        await until(lambda: len(path.read_bytes().splitlines()) >= 21)
        keys = {record["public_key"] for record in service.logged("audit.signing")}
        assert await service.stop() == 0
    (key,) = keys
    commands = CommandLine({"NATS_URL": fresh_nats_server.url}, tmp_path)
    by_stream = ("audit", "verify", "--stream", "TRAIL", "--key", key)
    by_file = ("audit", "verify", "--file", str(path), "--key", key)
    for words in (by_stream, by_file):
        code, out, err = await commands.run(*words)
        assert (code, err) == (0, ""), out
        assert b"as written" in out

    attacker = await nats.connect(fresh_nats_server.url)
    await attacker.jetstream().publish("wasmcloud.secrets.audit.v1", audit_line(ANSWERED))
    await attacker.close()
    lines = path.read_bytes().splitlines(keepends=True)
    chains = Counter(json.loads(line)["chain"] for line in lines)
    busiest = chains.most_common(1)[0][0]
    path.write_bytes(b"".join(line for line in lines if (busiest, 2) != _place(json.loads(line))))

    code, _, err = await commands.run(*by_stream)
    assert code == 1
    assert "event 1 is not signed" in err
    code, _, err = await commands.run(*by_file)
    assert code == 1
    assert f"events 2 to 2 of chain {busiest} are missing" in err


def _place(event: dict[str, Any]) -> tuple[str, int]:
    return event["chain"], event["link"]
