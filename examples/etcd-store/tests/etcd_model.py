"""As much of etcd as the tests need, in the part of the server; it answers as was recorded."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any, Final

import httpx

RECORDED: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded.json").read_text("utf-8")
)
URL: Final = "https://etcd.test:2379"
USER, PASSWORD = "reader", "pw-canary"


def recorded(name: str) -> httpx.Response:
    """Return one answer of the recording."""
    answer = RECORDED[name]
    return httpx.Response(answer["status"], json=answer["body"])


class EtcdModel:
    """Keeps each key's values by revision.

    Attributes:
        wants_login: whether reads need a token.
        tokens: those that hold.
        logins: how often a login was tried.
        fault: an answer to give in place of any other.
        silent: whether no answer comes.
    """

    def __init__(self, *, wants_login: bool = False) -> None:
        self.wants_login = wants_login
        self.tokens: set[str] = set()
        self.logins = 0
        self.fault: httpx.Response | None = None
        self.silent = False
        self.keys: dict[str, list[tuple[int, bytes]]] = {}
        self.revision = 1
        self.compacted = 0

    def put(self, key: str, value: bytes) -> int:
        """Write a key, and return the revision."""
        self.revision += 1
        self.keys.setdefault(key, []).append((self.revision, value))
        return self.revision

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if self.silent:
            await asyncio.sleep(3600)
        body = json.loads(request.content)
        if self.fault is not None:
            return self.fault
        if request.url.path == "/v3/auth/authenticate":
            return self._log_in(body)
        token = request.headers.get("authorization", "")
        if self.wants_login and token not in self.tokens:
            return recorded("bad_token" if token else "no_token")
        return self._read(base64.b64decode(body["key"]).decode(), int(body["revision"]))

    def _log_in(self, body: dict[str, str]) -> httpx.Response:
        self.logins += 1
        if (body["name"], body["password"]) != (USER, PASSWORD):
            return recorded("wrong_password")
        token = f"token-{self.logins}"
        self.tokens.add(token)
        return httpx.Response(200, json={**RECORDED["login"]["body"], "token": token})

    def _read(self, key: str, revision: int) -> httpx.Response:
        if revision > self.revision:
            return recorded("future")
        if 0 < revision < self.compacted:
            return recorded("compacted")
        at = revision or self.revision
        found = [entry for entry in self.keys.get(key, []) if entry[0] <= at]
        header = {"header": {"revision": str(self.revision)}}
        if not found:
            return httpx.Response(200, json=header)
        written, value = found[-1]
        kv = {"key": base64.b64encode(key.encode()).decode(), "mod_revision": str(written)}
        if value:
            kv["value"] = base64.b64encode(value).decode()
        return httpx.Response(200, json={**header, "kvs": [kv], "count": "1"})
