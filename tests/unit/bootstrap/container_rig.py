"""The container of a service with the settings given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from bootstrap.containers import Container
from bootstrap.server_keys import load_server_keys
from tests.support.environments import (
    configuration,
    infisical_environment,
    nats_kv_environment,
    new_xkey_seed,
)

if TYPE_CHECKING:
    from pathlib import Path


TRACES = {"TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}
WEBHOOKS = {"ADMIN_ADDR": ":9090", "INFISICAL_WEBHOOK_KEY": "a-key-for-webhooks"}


def container(**variables: Any) -> Container:
    given = configuration(**variables)
    return Container(configuration=given, keys=load_server_keys(given.service))


def variants(folder: Path) -> dict[str, dict[str, str]]:
    issuer = SigningKey.generate(KeyKind.ACCOUNT).public
    user = SigningKey.generate(KeyKind.USER).seed_text()
    infisical, nats_kv = infisical_environment(), nats_kv_environment(folder)
    return {
        "infisical": infisical,
        "nats-kv": nats_kv,
        "client secret in a file": {
            **{name: text for name, text in infisical.items() if "CLIENT_SECRET" not in name},
            "INFISICAL_CLIENT_SECRET_FILE": __file__,
        },
        "own rate limit": infisical | {"INFISICAL_MAX_REQUESTS_PER_MINUTE": "100"},
        "trusted issuers": infisical | {"TRUSTED_ISSUERS": issuer},
        "policy file": infisical | {"ACCESS_POLICY_FILE": __file__},
        "policy file, required": infisical
        | {"ACCESS_POLICY_FILE": __file__, "REQUIRE_ACCESS_POLICY": "true"},
        "observed": infisical | {"AUTHORIZATION_MODE": "observe"},
        "known requesters": infisical | {"NATS_REQUESTER_REQUIRED": "true"},
        "audit file": infisical | {"AUDIT_FILE": "audit.log", "AUDIT_FILE_FSYNC": "always"},
        "audit stream": nats_kv | {"AUDIT_STREAM": "SECRETS_AUDIT", "AUDIT_WHEN_FULL": "drop"},
        "audit everywhere": infisical | {"AUDIT_FILE": "audit.log", "AUDIT_STREAM": "AUDIT"},
        "audit not in the log": infisical | {"AUDIT_FILE": "audit.log", "AUDIT_LOG": "false"},
        "no cache": infisical | {"CACHE_TTL_SECONDS": "0"},
        "cached": nats_kv | {"CACHE_TTL_SECONDS": "5"},
        "only stale values kept": nats_kv | {"CACHE_MAX_STALE_SECONDS": "60"},
        "monitored": infisical | {"ADMIN_ADDR": ":9090"},
        "traced": infisical | TRACES,
        "traced and monitored": nats_kv | TRACES | {"ADMIN_ADDR": ":9090"},
        "webhooks": infisical | WEBHOOKS,
        "webhooks, nothing kept": infisical | WEBHOOKS | {"CACHE_TTL_SECONDS": "0"},
        "monitored, everything": nats_kv
        | {
            "ACCESS_POLICY_FILE": __file__,
            "ADMIN_ADDR": "[::1]:9090",
            "AUDIT_FILE": "audit.log",
            "AUDIT_STREAM": "AUDIT",
            "CACHE_TTL_SECONDS": "5",
        },
        "retired keys": infisical | {"SERVER_XKEY_RETIRED_SEEDS": new_xkey_seed()},
        "nkey": nats_kv | {"NATS_NKEY_SEED": user},
        "nkey with jwt": nats_kv | {"NATS_NKEY_SEED": user, "NATS_USER_JWT": "jwt"},
        "credentials file": nats_kv | {"NATS_CREDENTIALS_FILE": __file__},
        "password": nats_kv | {"NATS_USER": "u", "NATS_PASSWORD": "p"},
        "token": nats_kv | {"NATS_TOKEN": "t"},
        "credentials in the address": nats_kv | {"NATS_URL": "nats://u:p@h1,tls://u:p@h2"},
        "tls": nats_kv | {"NATS_TLS_CERT_FILE": __file__, "NATS_TLS_KEY_FILE": __file__},
    }
