"""`--json`: one document on standard output, wherever a script may follow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from adapters.audit.signing import PURPOSE, LineSigner, public_key_of
from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from adapters.crypto.xkeys import SodiumXKeyPair
from bootstrap.cli import app
from tests.contracts.audit import numbered
from tests.support.audit_text import audit_line
from tests.support.environments import new_xkey_seed

if TYPE_CHECKING:
    from pathlib import Path

TEAM = SigningKey.generate(KeyKind.ACCOUNT).public
COMPONENT = SigningKey.generate(KeyKind.COMPONENT).public

POLICY = f"""
version: 1
issuers: {{team: {TEAM}}}
grants:
  - name: billing
    entities: [{{issuer: team, names: [checkout]}}]
    secrets: [{{keys: [/payments/**]}}]
denials:
  - name: never
    keys: [/payments/admin/**]
"""


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def test_policy_check_gives_what_is_granted(policy: Path) -> None:
    found = run("policy", "check", str(policy))

    assert found["mistakes"] == []
    assert (found["issuers"], found["revoked"]) == (1, 0)
    (grant,) = found["grants"]
    assert (grant["name"], grant["what"]) == ("billing", "/payments/**")
    assert [denial["name"] for denial in found["denials"]] == ["never"]


def test_policy_check_gives_every_mistake_with_its_line(policy: Path) -> None:
    policy.write_text(POLICY.replace("names:", "nmes:").replace("version: 1", "version: 2"))

    found = run("policy", "check", str(policy), code=1)

    assert [mistake["line"] for mistake in found["mistakes"]] == [2, 6, 6]
    assert "nmes" in found["mistakes"][2]["place"] + found["mistakes"][1]["place"]


@pytest.mark.parametrize(
    ("key", "code", "expected"),
    [
        ("/payments/API", 0, {"allowed": True, "rule": "billing"}),
        ("/payments/admin/API", 1, {"allowed": False, "rule": "never"}),
    ],
)
def test_policy_explain_gives_the_decision(
    policy: Path, key: str, code: int, expected: dict[str, object]
) -> None:
    words = ["--policy-file", str(policy), "--issuer", "team", "--subject", COMPONENT]

    found = run("policy", "explain", "--key", key, *words, "--name", "checkout", code=code)

    explanation = found.pop("explanation")
    assert found["allowed"] == expected["allowed"]
    assert found["rule"] == expected["rule"]
    assert found["reason"]
    assert all(isinstance(line, str) for line in explanation)


def test_audit_verify_gives_chains_and_all_problems(tmp_path: Path) -> None:
    seed = SodiumXKeyPair.generate().derive(PURPOSE)
    signer = LineSigner(seed)
    lines = [signer.sign(audit_line(event)) for event in numbered(60)]
    path = tmp_path / "audit"
    path.write_bytes(b"\n".join(lines) + b"\n")
    words = ("audit", "verify", "--file", str(path), "--key", public_key_of(seed))

    (good,) = run(*words)

    assert good["problems"] == []
    assert good["events"] == 60
    assert [(chain["first"], chain["last"]) for chain in good["chains"]] == [(1, 60)]

    path.write_bytes(b"\n".join([b"{}"] * 30 + lines) + b"\n")
    (bad,) = run(*words, code=1)
    assert len(bad["problems"]) == 30


def test_audit_why_gives_the_event_as_it_is_stored(tmp_path: Path) -> None:
    event = {
        "timestamp": "2999-01-01T00:00:00.000000Z",
        "event": "secret_request",
        "operation": "get",
        "outcome": "refused",
        "key": "API_KEY",
        "advice": "Größe",
    }
    path = tmp_path / "audit"
    path.write_text(json.dumps(event, ensure_ascii=False) + "\n")

    assert run("audit", "why", "--file", str(path)) == event


def test_keys_generate_gives_the_public_key_and_the_seed_or_its_file(tmp_path: Path) -> None:
    shown = run("keys", "generate", "xkey")
    assert SodiumXKeyPair.from_seed(shown["seed"]).public == shown["public"]

    file = tmp_path / "new.seed"
    kept = run("keys", "generate", "account", "--out", str(file))
    assert kept == {"public": kept["public"], "seed_file": str(file)}
    assert file.exists()


def test_keys_inspect_gives_kind_and_public_key() -> None:
    assert run("keys", "inspect", TEAM) == {"kind": "account", "seed": False, "public": TEAM}


def test_keys_rotate_gives_the_step_and_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "server.seed"
    path.write_text(new_xkey_seed())
    rotate = ("keys", "rotate", "--no-check", "--file", str(path))

    prepared, announced, waiting = run(*rotate), run(*rotate), run(*rotate)
    finished = run(*rotate, "--finish")

    steps = [done["step"] for done in (prepared, announced, waiting, finished)]
    assert steps == ["prepare", "announce", "wait", "finish"]
    assert announced["retired"] == prepared["announced"]
    assert announced["to_be_announced"] == prepared["next"] == finished["announced"]
    assert prepared["replicas"] is None


def test_no_document_holds_a_seed_that_was_not_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "server.seed"
    path.write_text(new_xkey_seed())
    run_all = [
        run("keys", "rotate", "--no-check", "--file", str(path)),
        run("keys", "generate", "xkey", "--out", str(tmp_path / "other.seed")),
    ]

    seeds = [each.read_text().strip() for each in tmp_path.iterdir()]
    assert len(seeds) == 3
    assert not any(seed in json.dumps(run_all) for seed in seeds)
