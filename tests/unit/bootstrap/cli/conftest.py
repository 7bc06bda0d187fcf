"""Files and a bucket for commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.crypto.token_signer import sign_token
from bootstrap.cli import kv_session
from tests.unit.adapters.wadm_manifest.manifests import GOOD
from tests.unit.bootstrap.cli.kv_rig import MemoryKv
from tests.unit.bootstrap.cli.manifest_rig import COMPONENT, POLICY, PROVIDER, TEAM
from tests.unit.bootstrap.cli.policy_commands_rig import FILE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE)
    return str(path)


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "shop.yaml"
    file.write_text(GOOD)
    return str(file)


@pytest.fixture
def rules(tmp_path: Path) -> list[str]:
    """Options for a policy file and the tokens of both artifacts."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    options = ["--policy", str(tmp_path / "policy.yaml")]
    for name, subject in (("checkout", COMPONENT), ("files", PROVIDER)):
        token = sign_token(TEAM, subject, token_id="t", issued_at=1)
        (tmp_path / f"{name}.jwt").write_text(token)
        options += ["--token", f"{name}={tmp_path / name}.jwt"]
    return options


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> MemoryKv:
    memory = MemoryKv()
    monkeypatch.setattr(kv_session, "open_kv", memory.open_kv)
    monkeypatch.setattr(kv_session, "open_catalog", memory.open_catalog)
    return memory
