"""Environments the service starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.crypto.xkeys import SodiumXKeyPair
from tests.support.infisical_model import CLIENT_ID, PROJECT_ID
from tests.support.infisical_model import CLIENT_SECRET as MODEL_SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.infisical_server import InfisicalServer

CLIENT_SECRET = "canary-client-secret-1f6c"


def infisical_environment(base_url: str = "https://infisical.test") -> dict[str, str]:
    """Return what is required with Infisical."""
    return {
        "INFISICAL_BASE_URL": base_url,
        "INFISICAL_CLIENT_ID": "client-id",
        "INFISICAL_CLIENT_SECRET": CLIENT_SECRET,
        "INFISICAL_PROJECT_ID": "project-id",
    }


def nats_kv_environment(folder: Path) -> dict[str, str]:
    """Return what is required with NATS KV, keys in files that are made at the first start."""
    return {
        "SECRET_STORE": "nats-kv",
        "ENCRYPTION_XKEY_SEED_FILE": str(folder / "encryption.seed"),
        "SERVER_XKEY_SEED_FILE": str(folder / "server.seed"),
    }


def new_xkey_seed() -> str:
    """Draw a seed (SX…)."""
    return SodiumXKeyPair.generate().seed_text()


def local_infisical_environment(
    server: InfisicalServer, nats_url: str, subject_prefix: str, folder: Path
) -> dict[str, str]:
    """Return a service on the local Infisical and nats-server, its key in a file there."""
    return {
        "NATS_URL": nats_url,
        "NATS_SUBJECT_PREFIX": subject_prefix,
        "SERVER_XKEY_SEED_FILE": str(folder / "server.seed"),
        "INFISICAL_BASE_URL": server.url,
        "INFISICAL_CLIENT_ID": CLIENT_ID,
        "INFISICAL_CLIENT_SECRET": MODEL_SECRET,
        "INFISICAL_PROJECT_ID": PROJECT_ID,
    }
