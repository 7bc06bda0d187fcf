"""Each line of `check` about settings, rules and this machine, with its exit code."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from tests.integration.service.looking import Look, Settings, said

if TYPE_CHECKING:
    from pathlib import Path


TEAM = SigningKey.generate(KeyKind.ACCOUNT).public
NOTHING = "version: 1\nissuers: {}\ngrants: []\n"
RULES = f"""\
version: 1
issuers: {{team: {TEAM}}}
grants:
  - name: all-of-team
    entities: [{{issuer: team, names: ["*"]}}]
    secrets: [{{keys: ["/**"]}}]
denials:
  - name: never
    keys: [/platform/**]
"""


@pytest.mark.parametrize(
    ("rules", "changed", "line", "code"),
    [
        (None, {}, ("warning", "Any signature is trusted"), 0),
        (None, {"TRUSTED_ISSUERS": TEAM}, ("ok", "TRUSTED_ISSUERS: 1; what they sign"), 0),
        (None, {"AUTHORIZATION_MODE": "observe"}, ("warning", "no request is refused"), 0),
        (RULES, {}, ("ok", "1 issuers, 1 grants, 1 denials"), 0),
        (RULES, {}, ("ok", "may read /**"), 0),
        (RULES, {}, ("ok", "may never read /platform/**"), 0),
        (NOTHING, {}, ("warning", "every request is refused"), 0),
        (NOTHING, {"REQUIRE_ACCESS_POLICY": "true"}, ("misconfigured", "insists on both"), 2),
        ("version: 9\n", {}, ("misconfigured", "ACCESS_POLICY_FILE"), 2),
    ],
)
async def test_what_the_rules_let_read(
    look: Look,
    seeded_settings: Settings,
    tmp_path: Path,
    *,
    rules: str | None,
    changed: Settings,
    line: tuple[str, str],
    code: int,
) -> None:
    if rules is not None:
        (tmp_path / "policy.yaml").write_text(rules)
        changed = changed | {"ACCESS_POLICY_FILE": str(tmp_path / "policy.yaml")}

    findings = await look(seeded_settings | changed)

    assert line[1] in said(findings, line[0], "policy")
    assert findings.exit_code == code


async def test_a_name_that_is_nearly_a_setting_is_a_warning(
    look: Look, seeded_settings: Settings
) -> None:
    findings = await look(seeded_settings | {"TRUSTED_ISUERS": TEAM})

    assert "Did you mean TRUSTED_ISSUERS?" in said(findings, "warning", "settings")
    assert findings.exit_code == 0


async def test_a_way_without_tls_is_a_warning_and_an_unknown_host_a_failure(
    look: Look, seeded_settings: Settings
) -> None:
    findings = await look(seeded_settings | {"NATS_URL": "nats://u:canary@nowhere.invalid:4222"})

    assert "is reached without TLS" in said(findings, "warning", "settings")
    assert "the host name is unknown" in said(findings, "failed", "transport")
    assert "canary" not in "".join(one.text for one in findings.found)
    assert findings.exit_code == 1


async def test_an_address_of_another_machine_cannot_be_listened_on(
    look: Look, seeded_settings: Settings
) -> None:
    findings = await look(seeded_settings | {"ADMIN_ADDR": "192.0.2.1:9090"})

    assert "cannot be listened on (EADDRNOTAVAIL)" in said(findings, "misconfigured", "ports")
    assert findings.exit_code == 2


@pytest.mark.parametrize(("free", "level"), [(1024**2, "warning"), (1024**4, "ok")])
async def test_a_disk_that_is_nearly_full_is_a_warning(
    look: Look,
    seeded_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    free: int,
    level: str,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    findings = await look(seeded_settings | {"AUDIT_FILE": str(tmp_path / "audit.log")})

    assert "GiB free" in said(findings, level, "disk")
    assert findings.exit_code == 0
