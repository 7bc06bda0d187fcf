"""What `make run` adds to the environment it was given, and how to use what it starts."""

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from bootstrap.local.run_folder import RunFolder
from bootstrap.settings.choices import ChoiceSettings
from bootstrap.settings.variables import Variables

INFISICAL, NATS_KV = "infisical", "nats-kv"
_INFISICAL = ("INFISICAL_CLIENT_ID", "INFISICAL_CLIENT_SECRET", "INFISICAL_PROJECT_ID")
_SHARED = ("NATS_SUBJECT_PREFIX", "API_VERSION", "BACKEND_NAME", "NATS_KV_BUCKET")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to start, and how.

    Attributes:
        starts_server: whether a nats-server of its own is needed.
        store: the secret store's name.
        additions: environment variables for the service, beside the inherited ones.
    """

    starts_server: bool
    store: str
    additions: dict[str, str]
    _given: Variables

    def instructions(self, nats_url: str | None) -> list[str]:
        """Return lines that say what to type in another terminal. `nats_url`: where the server
        started here listens; None when another server is used.
        """
        lines = ["In another terminal:", ""]
        if nats_url is not None:
            lines.append(f"  export NATS_URL={nats_url}")
        else:
            lines.append("  # with the same NATS_URL, and NATS_* beside it, as in this one")
        lines += [f"  export {name}={text}" for name, text in self._exports()]
        if self.store == NATS_KV and "ENCRYPTION_XKEY_SEED_FILE" not in self.additions:
            lines.append("  # with the same encryption xkey as in this one")
        command = _command()
        if self.store == NATS_KV:
            lines.append(f"  echo 'a value' | {command} kv put shop/API_KEY")
        issuer = " --issuer-seed-file FILE" if self._given.has("TRUSTED_ISSUERS") else ""
        lines.append(f"  {command} request shop/API_KEY{issuer}")
        nats = self._given.load(NatsSettings)
        backend = self._given.load(ChoiceSettings).backend_name or self.store
        served = SecretsSubjects(nats.subject_prefix, nats.api_version, backend)
        return [
            *lines,
            "",
            "For wasmCloud hosts, version 1.1 to 1.9:",
            "",
            f"  NATS URL         {nats_url or ', '.join(self._addresses())}",
            f"  option           --secrets-topic {served.prefix}",
            f"  in the manifest  backend: {served.backend}",
        ]

    def _exports(self) -> list[tuple[str, str]]:
        shared = [(name, text) for name in _SHARED if (text := self._given.text(name)) is not None]
        if self.store != INFISICAL:
            # The backend is named after it, so the commands need it to find the service.
            shared.insert(0, ("SECRET_STORE", self.store))
        seed = self.additions.get("ENCRYPTION_XKEY_SEED_FILE")
        if seed is not None:
            shared.append(("ENCRYPTION_XKEY_SEED_FILE", seed))
        return [(name, shlex.quote(text)) for name, text in shared]

    def _addresses(self) -> list[str]:
        # Not the setting itself, which may hold credentials.
        return [str(address) for address in self._given.load(NatsSettings).addresses]


def plan_run(folder: RunFolder) -> RunPlan:
    """Read what is given, and fill in the rest.

    Raises:
        SettingsError: how NATS is reached makes no sense.
    """
    given = Variables.read()
    given.load(NatsSettings)
    store = (given.text("SECRET_STORE") or "").strip().lower()
    additions = {}
    if not store:
        # One of them is enough: the service then says which of the others are missing.
        store = additions["SECRET_STORE"] = INFISICAL if given.has(*_INFISICAL) else NATS_KV
    if not given.has("SERVER_XKEY_SEED", "SERVER_XKEY_SEED_FILE"):
        additions["SERVER_XKEY_SEED_FILE"] = str(folder.server_seed)
    if store == NATS_KV and not given.has("ENCRYPTION_XKEY_SEED", "ENCRYPTION_XKEY_SEED_FILE"):
        additions["ENCRYPTION_XKEY_SEED_FILE"] = str(folder.encryption_seed)
    return RunPlan(not given.has("NATS_URL"), store, additions, given)


def _command() -> str:
    """Return how a shell in this folder finds the command line."""
    beside_python = Path(sys.executable).parent / "wasmcloud-secrets"
    if shutil.which("wasmcloud-secrets") == str(beside_python) or not beside_python.exists():
        return "wasmcloud-secrets"
    return shlex.quote(os.path.relpath(beside_python))
