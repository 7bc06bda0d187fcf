"""Vault's behaviour as measured on OpenBao 2.6.2, without a network: from a request to an answer.

It keeps versions of both kinds of engine, tokens and logins; `vault_server` puts it behind a
socket. Texts and statuses are those of the recordings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.infisical_model import Result
from tests.support.vault_logins import VaultLogins, errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.infisical_model import Call

DENIED = "1 error occurred:\n\t* permission denied\n\n"
BAD_TOKEN = "permission denied"
UPGRADING = (
    "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief "
    "period and will resume service shortly."
)
CREATED = "2026-11-28T21:07:11.747891213Z"


@dataclass
class StoredVersion:
    """One version of a secret of a versioned engine."""

    data: Any
    deletion_time: str = ""
    destroyed: bool = False


@dataclass
class StoredSecret:
    """A secret of a versioned engine."""

    versions: list[StoredVersion] = field(default_factory=list)
    custom_metadata: dict[str, str] | None = None


def envelope(data: Any, **members: Any) -> dict[str, Any]:
    """Return the body around an answer's data."""
    return {
        "request_id": "c1c0fec4-3fc5-69d6-0910-a08fb3131a54",
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": data,
        "wrap_info": None,
        "warnings": None,
        "auth": None,
        **members,
    }


class VaultModel:
    """One server with one namespace, or several that differ by their mounts only.

    Attributes:
        mounts: the version of the key-value engine by namespace and path.
        denied: paths that no token may read.
        logins: what logs in, and the tokens that it gave.
        upgrading: how many reads are still answered as while a mount is upgraded.
        lag: how many reads still miss the newest version, as on a standby node.
        calls: all requests, in order.
    """

    def __init__(self) -> None:
        self.mounts: dict[tuple[str, str], int] = {("", "secret"): 2, ("", "kv1"): 1}
        self.denied: set[str] = set()
        self.logins = VaultLogins()
        self.upgrading = 0
        self.lag = 0
        self.calls: list[Call] = []
        self._secrets: dict[tuple[str, str, str], StoredSecret] = {}
        self._plain: dict[tuple[str, str, str], Any] = {}
        self._ids = count(1)

    @property
    def reads(self) -> list[Call]:
        """Calls that neither log in nor renew."""
        return [call for call in self.calls if call.method == "GET"]

    def put(self, path: str, data: Any, *, mount: str = "secret", namespace: str = "") -> str:
        """Store the next version of a secret and return its number."""
        if self.mounts[namespace, mount] == 1:
            self._plain[namespace, mount, path] = data
            return "unversioned"
        secret = self.secret(path, mount=mount, namespace=namespace)
        secret.versions.append(StoredVersion(data))
        return str(len(secret.versions))

    def secret(self, path: str, *, mount: str = "secret", namespace: str = "") -> StoredSecret:
        """Return a secret of a versioned engine, to be changed."""
        return self._secrets.setdefault((namespace, mount, path), StoredSecret())

    def upgrade(self, mount: str, *, namespace: str = "") -> None:
        """Turn a mount into one with versions."""
        self.mounts[namespace, mount] = 2
        for (space, place, path), data in list(self._plain.items()):
            if (space, place) == (namespace, mount):
                del self._plain[space, place, path]
                self.put(path, data, mount=mount, namespace=namespace)

    def answer(self, call: Call) -> Result:
        """Answer one request."""
        self.calls.append(call)
        path = unquote(call.path).removeprefix("/v1/")
        namespace = call.headers.get("x-vault-namespace", "").strip("/")
        if namespace and not any(space == namespace for space, _ in self.mounts):
            return errors(404, "namespace not found")
        if call.method == "POST":
            return self.logins.answer(path, call)
        failure = self.logins.refusal(call)
        if failure is not None:
            return failure
        if path.startswith("sys/internal/ui/mounts/"):
            return self._tell_mount(namespace, path.removeprefix("sys/internal/ui/mounts/"))
        return self._read(namespace, path, call.query)

    def _tell_mount(self, namespace: str, path: str) -> Result:
        version = self.mounts.get((namespace, path.rstrip("/")))
        if version is None or path in self.denied:
            return errors(
                403,
                "preflight capability check returned 403, please ensure client's policies grant "
                f'access to path "{path}/"',
            )
        data = {"path": f"{path}/", "type": "kv", "options": {"version": str(version)}}
        return _json(200, envelope(data))

    def _read(self, namespace: str, path: str, query: Mapping[str, str]) -> Result:
        if path in self.denied:
            return errors(403, DENIED)
        for (space, mount), version in self.mounts.items():
            if space != namespace or not path.startswith(f"{mount}/"):
                continue
            if self.upgrading:
                self.upgrading -= 1
                return errors(400, UPGRADING)
            below = path.removeprefix(f"{mount}/")
            if version == 1:
                return self._read_plain(namespace, mount, below)
            if not below.startswith("data/"):
                warnings = ["Invalid path for a versioned K/V secrets engine. See the API docs."]
                return _json(404, envelope(None, warnings=warnings))
            return self._read_version(namespace, mount, below.removeprefix("data/"), query)
        return errors(403, DENIED)

    def _read_plain(self, namespace: str, mount: str, path: str) -> Result:
        key = (namespace, mount, path)
        if key not in self._plain:
            return errors(404)
        return _json(200, envelope(self._plain[key], lease_duration=2764800))

    def _read_version(
        self, namespace: str, mount: str, path: str, query: Mapping[str, str]
    ) -> Result:
        secret = self._secrets.get((namespace, mount, path))
        if secret is None or not secret.versions:
            return errors(404)
        number = int(query.get("version", "0")) or len(secret.versions)
        if number == len(secret.versions) and self.lag:
            self.lag -= 1
            return errors(404)
        if number > len(secret.versions):
            return errors(404)
        version = secret.versions[number - 1]
        metadata = {
            "created_time": CREATED,
            "custom_metadata": secret.custom_metadata,
            "deletion_time": version.deletion_time,
            "destroyed": version.destroyed,
            "version": number,
        }
        is_gone = version.destroyed or (version.deletion_time and version.deletion_time < CREATED)
        data = {"data": None if is_gone else version.data, "metadata": metadata}
        return _json(404 if is_gone else 200, envelope(data))


def _json(status: int, document: Any) -> Result:
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return Result(status, body, {"content-type": "application/json", "cache-control": "no-store"})
