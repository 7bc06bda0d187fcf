"""What `make run` keeps in the folder `.run/`, adds to the environment, and says of its use."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.system.files import Folder
from bootstrap.settings.service import ChoiceSettings
from bootstrap.settings.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

INFISICAL, NATS_KV = "infisical", "nats-kv"
_INFISICAL = ("INFISICAL_CLIENT_ID", "INFISICAL_CLIENT_SECRET", "INFISICAL_PROJECT_ID")
_SHARED = ("NATS_SUBJECT_PREFIX", "API_VERSION", "BACKEND_NAME", "NATS_KV_BUCKET")


class RunFolderError(Exception):
    """The folder cannot be used; the text says what to do."""


SERVER_SEED, ENCRYPTION_SEED = "server_xkey.seed", "encryption_xkey.seed"
NATS_PID = "nats-server.pid"


class RunFolder(NamedTuple):
    """The folder, absolute.

    Attributes:
        lock: descriptor of the lock; a process that inherits it keeps the folder locked.
    """

    path: Path
    lock: int


@contextmanager
def lock_run_folder(path: Path) -> Iterator[RunFolder]:
    """Make the folder if it does not exist, and keep others out of it.

    Two nats-servers on one folder would damage what it stores, so the server inherits the lock: it
    is held for as long as either of them lives.

    Raises:
        RunFolderError: it is in use, or cannot be made.
    """
    descriptor = -1
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        with Folder.of(path / "lock") as folder:
            with suppress(FileExistsError):
                # It holds seeds; no repository must ever take it in.
                folder.create(".gitignore", b"*\n", 0o644)
            descriptor = folder.open("lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        failure = RunFolderError(_in_use(path))
    except OSError as error:
        failure = RunFolderError(f"{path} cannot be used ({error.strerror}); check its owner.")
    else:
        try:
            yield RunFolder(path, descriptor)
        finally:
            os.close(descriptor)
        return
    if descriptor >= 0:
        os.close(descriptor)
    raise failure


def _in_use(path: Path) -> str:
    text = f"{path} is in use by another `make run`; stop that one first, or run in another folder."
    with suppress(OSError, ValueError):
        pid = int((path / NATS_PID).read_text("ascii"))
        text += f" If it is gone and left its nats-server behind, stop that: kill {pid}"
    return text


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to start, and how.

    Attributes:
        starts_server: whether a nats-server of its own is needed.
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
        additions["SERVER_XKEY_SEED_FILE"] = str(folder.path / SERVER_SEED)
    if store == NATS_KV and not given.has("ENCRYPTION_XKEY_SEED", "ENCRYPTION_XKEY_SEED_FILE"):
        additions["ENCRYPTION_XKEY_SEED_FILE"] = str(folder.path / ENCRYPTION_SEED)
    return RunPlan(not given.has("NATS_URL"), store, additions, given)


def _command() -> str:
    """Return how a shell in this folder finds the command line."""
    beside_python = Path(sys.executable).parent / "wasmcloud-secrets"
    if shutil.which("wasmcloud-secrets") == str(beside_python) or not beside_python.exists():
        return "wasmcloud-secrets"
    return shlex.quote(os.path.relpath(beside_python))
