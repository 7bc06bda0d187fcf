"""Every environment variable that a document names exists."""

from __future__ import annotations

import re

import pytest

from bootstrap.settings.model import every_variable
from tests.unit.docs.documents import documents, name_of

SETTINGS = frozenset(every_variable())

OTHERS = frozenset(
    {
        "WASMCLOUD_SECRETS_TOPIC",  # the host's own
        # Read by libraries.
        "ALL_PROXY",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TRANSIT_XKEY_SEED",  # of secrets-nats-kv
        "WASMCLOUD_SECRETS",  # the bucket of secrets-nats-kv, and of NATS KV here
        "SECRETS_AUDIT",  # the audit trail's streams
        "SECRETS_AUDIT_REFUSED",
        # NATS accounts in examples.
        "WASMCLOUD_HOSTS",
        "V2_HOSTS",
        "V2_OPERATOR",
        # Secrets in examples.
        "API_KEY",
        "CARD_GATEWAY",
        "DATABASE_URL",
        "REDIS_URL",
        # Of sd_notify, and of the image's build.
        "NOTIFY_SOCKET",
        "PYTHON_IMAGE",
        # On the pages for plug-ins.
        "OUTAGE_TEXT",
        "SO_REUSEPORT",
    }
)

# Words of capitals joined by underscores; not parts of paths, keys, longer names or file names.
_NAME = re.compile(r"(?<![\w$.%{-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w.]?\w)")


def names_in(text: str) -> set[str]:
    python_left_out = re.sub(r"^```python\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return set(_NAME.findall(python_left_out))


def test_every_variable_that_is_named_exists() -> None:
    unknown = {
        (name_of(document), name)
        for document in documents()
        for name in names_in(document.read_text("utf-8")) - SETTINGS - OTHERS
    }

    assert unknown == set()


def test_the_words_that_are_no_settings_are_still_needed() -> None:
    used = set[str]().union(*(names_in(path.read_text("utf-8")) for path in documents()))

    assert used >= OTHERS
    assert not OTHERS & SETTINGS


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("set `NATS_URL` to", {"NATS_URL"}),
        ("NATS_URL=nats://x, then API_VERSION.", {"NATS_URL", "API_VERSION"}),
        ("see:\n```python\nif TYPE_CHECKING:\n```\nand API_VERSION", {"API_VERSION"}),
        ("the JSON, README.md and INFISICAL_ variables", set()),
    ],
)
def test_names_are_found_as_people_write_them(text: str, names: set[str]) -> None:
    assert names_in(text) == names
