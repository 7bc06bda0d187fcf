"""Webhooks as Infisical sends them, signed with the standard library alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from pydantic import SecretStr

KEY = "a-webhook-key-of-the-tests"
SECRET_KEY = SecretStr(KEY)
NOW_MS = 1_800_000_000_000


def body(event: str = "secrets.modified", at: int = NOW_MS, **project: Any) -> bytes:
    """Write a body as `JSON.stringify` does; members given replace the usual ones."""
    members = {
        "workspaceId": "p-1",
        "projectId": "p-1",
        "projectName": "Shop \u2713",
        "environment": "prod",
        "environmentName": "Production",
        "secretPath": "/payments",
        "changedBy": "ann@example.com",
        "changedByActorType": "user",
        **project,
    }
    document = {"event": event, "project": members, "timestamp": at}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def mac(signed: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def header(raw: bytes, at: int = NOW_MS, key: str = KEY) -> str:
    """Sign as webhooks are."""
    return f"t={at};{mac(raw, key)}"


def timed_header(raw: bytes, at: int = NOW_MS, key: str = KEY) -> str:
    """Sign as alerts are."""
    return f"t={at},v1={mac(f'{at}.'.encode() + raw, key)}"
