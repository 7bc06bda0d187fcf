"""What `check` says of a Kubernetes API server, with its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.integration.service.looking import (
    FAILED,
    MISCONFIGURED,
    WELL,
    Look,
    Settings,
    expect,
    said,
)
from tests.support.kubernetes_model import ACCOUNT, TOKEN, Right
from tests.support.kubernetes_server import KubernetesServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def cluster() -> AsyncIterator[KubernetesServer]:
    async with KubernetesServer() as server:
        yield server


@pytest.fixture
def on_kubernetes(
    cluster: KubernetesServer, nats_url: str, subject_prefix: str, tmp_path: Path
) -> Settings:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return {
        "SECRET_STORE": "kubernetes",
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "KUBERNETES_API_URL": cluster.url,
        "KUBERNETES_TOKEN_FILE": str(tmp_path / "token"),
        "KUBERNETES_NAMESPACE": "shop",
    }


@pytest.mark.parametrize(
    ("changed", "end", "words"),
    [
        ({}, WELL, "takes the service's login and answers"),
        ({"KUBERNETES_API_URL": "http://127.0.0.1:1"}, FAILED, "cannot be reached"),
        ({"KUBERNETES_TOKEN_FILE": "/missing"}, MISCONFIGURED, ""),
    ],
)
async def test_kubernetes_as_it_is_set(
    look: Look, on_kubernetes: Settings, changed: Settings, end: tuple[int, str], words: str
) -> None:
    await expect(look, on_kubernetes | changed, end, words)


async def test_a_token_that_kubernetes_refuses(
    look: Look, cluster: KubernetesServer, on_kubernetes: Settings
) -> None:
    cluster.model.tokens.clear()

    await expect(look, on_kubernetes, MISCONFIGURED, "refuses this backend's credentials")


async def test_rights_that_a_role_lacks_are_shown_as_what_to_apply(
    look: Look, cluster: KubernetesServer, on_kubernetes: Settings
) -> None:
    cluster.model.rights.clear()

    await expect(look, on_kubernetes, MISCONFIGURED, "kind: Role")


async def test_rights_of_other_accounts_alone_are_shown_beside_a_good_login(
    look: Look, cluster: KubernetesServer, on_kubernetes: Settings
) -> None:
    cluster.model.rights = {Right(ACCOUNT, "impersonate")}
    users = {"KUBERNETES_ALLOWED_IMPERSONATIONS": "reader"}

    findings = await look(on_kubernetes | users)

    assert "may read no Secret itself" in said(findings, "warning", "store")
    assert findings.exit_code == 0
