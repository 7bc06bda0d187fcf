"""Environments the service starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.settings import NatsKvSettings
from bootstrap.settings import Configuration, load_configuration
from bootstrap.settings.variables import Variables
from tests.support.infisical_model import CLIENT_ID, PROJECT_ID
from tests.support.infisical_model import CLIENT_SECRET as MODEL_SECRET

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

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
        # As the shipped NATS configuration has it.
        "BACKEND_NAME": "infisical",
        "ENCRYPTION_XKEY_SEED_FILE": str(folder / "encryption.seed"),
        "SERVER_XKEY_SEED_FILE": str(folder / "server.seed"),
    }


def configuration(**variables: object) -> Configuration:
    """Return what these variables configure, and nothing else."""
    return load_configuration(Variables({name: str(text) for name, text in variables.items()}))


def kv_settings(**given: Any) -> NatsKvSettings:
    """Return the settings of a bucket, with a fresh encryption key unless one is given."""
    key = {} if given.keys() & _ENCRYPTION else {_SEED: SecretStr(new_xkey_seed())}
    return NatsKvSettings(**key, **given)


_SEED = "encryption_xkey_seed"
_ENCRYPTION = {_SEED, f"{_SEED}_file"}


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
