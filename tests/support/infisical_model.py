"""Infisical's behaviour without a network: from a request to an answer.

It keeps versions, folders, imports of nothing, tokens and faults; `infisical_server` puts it behind
a socket, unit tests behind a fake HTTP engine. `infisical_generations` has what differs between
servers, and which of it was measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.infisical_generations import LATE_2026

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.infisical_generations import Generation, Text
    from tests.support.infisical_lockout import LoginLockout

CLIENT_ID = "2b35f3e5-27c0-4b75-9cff-b30cafc32d2e"
CLIENT_SECRET = "canary-client-secret"
PROJECT_ID = "0b341d53-2ad7-418a-b82f-5b33c974a5e0"
LOCKED_MESSAGE = "This identity auth method is temporarily locked, please try again later"
LOGIN_PATH = "/api/v1/auth/universal-auth/login"
V3_PREFIX, V4_PREFIX = "/api/v3/secrets/raw/", "/api/v4/secrets/"


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the server saw it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent, percent-encoding and all."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; one given twice is an error, as it is to the server."""
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True)
        assert len(dict(pairs)) == len(pairs), "a parameter was given twice"
        return dict(pairs)


@dataclass(frozen=True, slots=True)
class Result:
    """An answer to send: a document becomes JSON, bytes go out as they are."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body in bytes."""
        if isinstance(self.body, bytes):
            return dict(self.headers), self.body
        kind = {"content-type": "application/json; charset=utf-8"}
        return {**kind, **self.headers}, json.dumps(self.body).encode()


def refusal(status: int, label: str, message: object, **headers: str) -> Result:
    """Return an error in the server's shape; underscores in header names become hyphens."""
    body = {"statusCode": status, "message": message, "error": label}
    return Result(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


def html(status: int = 200) -> Result:
    """Return a page such as the bundled user interface or a proxy answers."""
    return Result(status, b"<!doctype html><title>hello</title>", {"content-type": "text/html"})


class InfisicalModel:
    """One project with Universal Auth, on a server of one generation.

    Attributes:
        generation: how the server answers.
        calls: everything asked, in order.
        v4: whether the newer routes exist.
        honours_version: as in `Generation`.
        token_seconds: the configured lifetime of tokens.
        faults: answers to give to secret reads instead, first come first served. A callable gets
            the call.
        login_faults: the same for logins.
        client_secrets: those that logins are granted with; taking one out revokes it, and leaves
            the tokens made with it.
        lockout: locks the identity after wrong secrets, as newer servers do; None never does.
    """

    def __init__(self, generation: Generation = LATE_2026) -> None:
        self.generation = generation
        self.v4 = generation.has_v4
        self.honours_version = generation.honours_version
        self.token_seconds: object = 7200
        self.calls: list[Call] = []
        self.faults: list[Result | Callable[[Call], Result]] = []
        self.login_faults: list[Result] = []
        self.client_secrets = {CLIENT_SECRET}
        self.lockout: LoginLockout | None = None
        self.valid_tokens: set[str] = set()
        self.folders: set[tuple[str, str]] = {("prod", "/")}
        self._made_with: dict[str, str] = {}
        self._issued = 0
        self._secrets: dict[tuple[str, str, str], list[dict[str, Any]]] = {}

    @property
    def logins(self) -> list[Call]:
        """The logins asked for so far."""
        return [call for call in self.calls if call.path == LOGIN_PATH]

    @property
    def reads(self) -> list[Call]:
        """The secret reads asked for so far, on routes that this server has."""
        return [
            call
            for call in self.calls
            if call.path != LOGIN_PATH and (self.v4 or not call.path.startswith(V4_PREFIX))
        ]

    def put(
        self, name: str, value: str, *, folder: str = "/", environment: str = "prod", **extra: Any
    ) -> str:
        """Store the next version of a secret and return its number."""
        self.folders.add((environment, folder))
        versions = self._secrets.setdefault((environment, folder, name), [])
        versions.append(
            {
                "id": "e67c981a-a1a6-4efd-9e28-b766ee2f4819",
                "workspace": PROJECT_ID,
                "environment": environment,
                "version": len(versions) + 1,
                "type": "shared",
                "secretKey": name,
                "secretValue": value,
                "secretComment": "",
                "tags": [],
                **extra,
            }
        )
        return str(len(versions))

    def delete_client_secret(self, secret: str) -> None:
        """Delete a client secret, as a user does."""
        self.client_secrets.discard(secret)
        if self.generation.deletion_ends_tokens:
            self.valid_tokens -= {
                token for token, used in self._made_with.items() if used == secret
            }

    def answer(self, call: Call) -> Result:
        """Answer one request."""
        self.calls.append(call)
        if call.method == "POST" and call.path == LOGIN_PATH:
            return self.login_faults.pop(0) if self.login_faults else self._login(call)
        prefix = next((p for p in (V4_PREFIX, V3_PREFIX) if call.path.startswith(p)), None)
        if call.method != "GET" or prefix is None or (prefix == V4_PREFIX and not self.v4):
            return refusal(404, "Not Found", f"Route {call.method}:{call.target} not found")
        if self.faults:
            fault = self.faults.pop(0)
            return fault if isinstance(fault, Result) else fault(call)
        return self._read(call, prefix)

    def _login(self, call: Call) -> Result:
        if "authorization" in call.headers:
            return refusal(403, "TokenError", "The provided access token is malformed.")
        body = json.loads(call.body)
        if body["clientId"] != CLIENT_ID:
            return self._refuse(self.generation.unknown_client)
        if self.lockout is not None and self.lockout.is_locked:
            return refusal(401, "UnauthorizedError", LOCKED_MESSAGE)
        if body["clientSecret"] not in self.client_secrets:
            if self.lockout is not None:
                self.lockout.fail()
            return refusal(401, "UnauthorizedError", "Invalid credentials")
        if self.lockout is not None:
            self.lockout.clear()
        self._issued += 1
        token = f"canary-access-token-{self._issued}"
        self.valid_tokens.add(token)
        self._made_with[token] = body["clientSecret"]
        seconds = self.generation.lifetime(self.token_seconds)
        document = {"accessToken": token, "expiresIn": seconds, "accessTokenMaxTTL": seconds}
        return Result(200, {**document, "tokenType": "Bearer"})

    def _read(self, call: Call, prefix: str) -> Result:
        words = self.generation
        token = call.headers.get("authorization", "")[len("Bearer ") :]
        if token not in self.valid_tokens:
            return self._refuse(words.dead_token)
        query = call.query
        project = query.get("projectId" if prefix == V4_PREFIX else "workspaceId")
        environment, folder = query["environment"], query["secretPath"]
        name = unquote(call.path.removeprefix(prefix)).strip()
        if project != PROJECT_ID:
            return self._refuse(words.no_project, project=project)
        if environment not in {known for known, _ in self.folders}:
            return self._refuse(words.no_environment, folder=folder, environment=environment)
        if (environment, folder) not in self.folders:
            return self._refuse(words.no_folder, folder=folder, environment=environment)
        versions = self._secrets.get((environment, folder, name), [])
        latest = len(versions)
        wanted = int(query.get("version", latest)) if self.honours_version else latest
        if not 1 <= wanted <= latest:
            return self._refuse(words.no_secret, name=name)
        secret = versions[wanted - 1]
        if "version" in query and not words.keeps_metadata_of_versions:
            secret = {part: value for part, value in secret.items() if part != "secretMetadata"}
        return Result(200, {"secret": secret})

    def _refuse(self, text: Text, **names: object) -> Result:
        result = refusal(text.status, text.label, text.message.format(**names))
        if self.generation.has_request_ids:
            result.body["reqId"] = "req-Ab12Cd34Ef56Gh"
        return result
