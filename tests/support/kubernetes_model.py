"""The API server's behaviour towards Secrets as measured, without a network.

It keeps Secrets with uid and resourceVersion, tokens, rights and what a watch tells; the server in
`kubernetes_server` puts it behind a socket. Texts and statuses are those of the recordings.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.infisical_model import Call, Result
from tests.support.kubernetes_objects import encoded, partial, selected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TOKEN = "canary-token-1"
ACCOUNT = "system:serviceaccount:shop:backend"
MESSAGE = "canary words of the API server"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def status(code: int, reason: str, kind: str = "", **headers: str) -> Result:
    """Return a refusal in the server's shape; underscores in header names become hyphens."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": MESSAGE,
        "reason": reason,
        "details": {"kind": kind} if kind else {},
        "code": code,
    }
    return Result(code, body, {name.replace("_", "-"): text for name, text in headers.items()})


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that a user may do; None stands for any."""

    user: str
    verb: str
    namespace: str | None = None
    name: str | None = None


@dataclass
class KubernetesModel:
    """One cluster.

    Attributes:
        calls: everything asked, in order.
        tokens: whose each token is.
        rights: what each user may do.
        faults: answers to give to reads of a Secret instead, first come first served.
        ready: what /readyz says; None denies it.
        bookmarks: whether watches get any.
    """

    calls: list[Call] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=lambda: {TOKEN: ACCOUNT})
    rights: set[Right] = field(
        default_factory=lambda: {Right(ACCOUNT, verb) for verb in ("get", "list", "watch")}
    )
    faults: list[Result | Callable[[Call], Result | None]] = field(default_factory=list)
    ready: bool | None = True
    version: int = 100
    compacted: int = 0
    _secrets: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _uids: int = 0

    def put(self, namespace: str, name: str, data: dict[str, str | bytes] | None) -> str:
        """Write a Secret and return its resourceVersion."""
        values = None if data is None else {key: encoded(value) for key, value in data.items()}
        former = self._secrets.get((namespace, name))
        self.version += 1
        if former is None:
            self._uids += 1
        metadata = {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{self._uids}" if former is None else former["metadata"]["uid"],
            "resourceVersion": str(self.version),
        }
        secret = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "type": "Opaque"}
        if values is not None:
            secret["data"] = values
        self._secrets[namespace, name] = secret
        self._tell("ADDED" if former is None else "MODIFIED", metadata)
        return str(self.version)

    def delete(self, namespace: str, name: str) -> None:
        """Delete a Secret."""
        self.version += 1
        metadata = self._secrets.pop((namespace, name))["metadata"]
        self._tell("DELETED", {**metadata, "resourceVersion": str(self.version)})

    def restart(self) -> None:
        """Forget what watches could go on from, as a restarted API server does."""
        self.version += 1
        self.compacted = self.version

    def allows(self, user: str, verb: str, namespace: str, name: str | None) -> bool:
        """Say whether a user may."""
        return any(
            right.user == user
            and right.verb == verb
            and right.namespace in {None, namespace}
            and right.name in {None, name}
            for right in self.rights
        )

    def user(self, call: Call) -> str | Result:
        """Return who calls, impersonation included, or the refusal."""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or token != token.strip():
            return "system:anonymous"
        if token not in self.tokens:
            return status(401, "Unauthorized")
        user, wanted = self.tokens[token], call.headers.get("impersonate-user", "")
        if not wanted:
            return user
        if not self.allows(user, "impersonate", "", wanted):
            return status(403, "Forbidden", "users")
        return wanted

    def answer(self, call: Call) -> Result:
        """Answer anything but a watch."""
        self.calls.append(call)
        if call.path == "/readyz" and self.ready is None:
            return status(403, "Forbidden")
        if call.path == "/readyz":
            return Result(200 if self.ready else 500, b"ok" if self.ready else b"[-]etcd failed")
        if call.path == "/version":
            return Result(200, {"major": "1", "minor": "36", "gitVersion": "v1.36.3"})
        user = self.user(call)
        return user if isinstance(user, Result) else self._answer(user, call)

    def _answer(self, user: str, call: Call) -> Result:
        if call.path == REVIEWS:
            return self._review(user, call)
        if call.path == WHOAMI:
            return Result(
                201, {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": user}}}
            )
        match call.path.removeprefix("/api/v1/namespaces/").split("/"):
            case [namespace, "secrets", name]:
                return self._read(user, namespace, name, call)
            case [namespace, "secrets"]:
                return self._list(user, namespace, call)
            case _:
                return status(404, "NotFound")

    async def watch(self, call: Call) -> AsyncIterator[Result | dict[str, Any]]:
        """Give the refusal of a watch, or {} and its events, for as long as it is followed."""
        self.calls.append(call)
        user, query = self.user(call), call.query
        namespace, name = call.path.split("/")[4], selected(query)
        if isinstance(user, Result):
            yield user
            return
        if not self.allows(user, "watch", namespace, name):
            yield status(403, "Forbidden", "secrets")
            return
        place = int(query["resourceVersion"])
        if place < self.compacted:
            gone = status(410, "Expired").body
            yield {"type": "ERROR", "object": gone}
            return
        yield {}
        while True:
            for version, kind, metadata in list(self._events):
                is_meant = metadata["namespace"] == namespace and name in {None, metadata["name"]}
                if version > place and is_meant:
                    yield {"type": kind, "object": partial(metadata)}
            place = self.version
            await self._more.wait()

    def _tell(self, kind: str, metadata: dict[str, Any]) -> None:
        self._events.append((self.version, kind, metadata))
        self._more.set()
        self._more = asyncio.Event()

    def _read(self, user: str, namespace: str, name: str, call: Call) -> Result:
        while self.faults:
            fault = self.faults.pop(0)
            result = fault if isinstance(fault, Result) else fault(call)
            if result is not None:
                return result
        if not self.allows(user, "get", namespace, name):
            return status(403, "Forbidden", "secrets")
        secret = self._secrets.get((namespace, name))
        if secret is None:
            return status(404, "NotFound", "secrets")
        if "as=PartialObjectMetadata" in call.headers.get("accept", ""):
            return Result(200, partial(secret["metadata"]))
        return Result(200, secret, {"audit-id": f"audit-{len(self.calls)}"})

    def _list(self, user: str, namespace: str, call: Call) -> Result:
        name = selected(call.query)
        if not self.allows(user, "list", namespace, name):
            return status(403, "Forbidden", "secrets")
        items = [{"metadata": secret["metadata"]} for secret in self._chosen(namespace, name)]
        start = int(call.query.get("continue", "0"))
        end = start + int(call.query.get("limit", "500"))
        metadata = {"resourceVersion": str(self.version)}
        if end < len(items):
            metadata["continue"] = str(end)
        kind = "PartialObjectMetadataList"
        return Result(200, {"kind": kind, "metadata": metadata, "items": items[start:end]})

    def _review(self, user: str, call: Call) -> Result:
        if user == "system:anonymous":
            return status(403, "Forbidden", "selfsubjectaccessreviews")
        asked = json.loads(call.body)["spec"]["resourceAttributes"]
        allowed = self.allows(user, asked["verb"], asked.get("namespace", ""), asked.get("name"))
        return Result(201, {"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}})

    def _chosen(self, namespace: str, name: str | None) -> list[dict[str, Any]]:
        return [
            secret
            for (each, own), secret in sorted(self._secrets.items())
            if each == namespace and name in {None, own}
        ]
