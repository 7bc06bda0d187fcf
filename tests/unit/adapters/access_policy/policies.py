"""Keys, files and requests for tests of the policy file."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from adapters.access_policy.document import read_policy
from adapters.access_policy.problems import AccessPolicyError
from adapters.crypto.nkeys_text import KeyKind, encode_public
from domain.model.access import AccessRequest
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.reference import NO_PROPERTIES, SecretLocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.model.transport import Requester

TEAM = AccountKey(encode_public(KeyKind.ACCOUNT, b"t" * 32))
OTHER_TEAM = AccountKey(encode_public(KeyKind.ACCOUNT, b"o" * 32))
COMPONENT = SubjectKey(encode_public(KeyKind.COMPONENT, b"c" * 32))
PROVIDER = SubjectKey(encode_public(KeyKind.PROVIDER, b"p" * 32))
HOST = SubjectKey(encode_public(KeyKind.HOST, b"h" * 32))
NOW = 1_800_000_000.0

GOOD = f"""\
version: 1
issuers:
  team: {TEAM}
grants:
  - name: billing
    entities:
      - issuer: team
        subject: {COMPONENT}
    secrets:
      - keys: ["/payments/**"]
"""


def problems_in(text: str | bytes) -> list[str]:
    """Read a file that must be refused, and return its mistakes as they are shown."""
    with pytest.raises(AccessPolicyError) as refused:
        read_policy(text.encode() if isinstance(text, str) else text)
    return [str(mistake) for mistake in refused.value.problems]


def lines_of(mistakes: list[str]) -> list[str]:
    """Return where each mistake is, such as "line 3"."""
    return [without_column(mistake).split(":")[0] for mistake in mistakes]


def without_column(mistake: str) -> str:
    """Return a mistake as it is shown, with its line alone."""
    return re.sub(r"^(line \d+), column \d+", r"\1", mistake)


def request(
    path: str = "/payments/API_KEY",
    *,
    issuer: AccountKey = TEAM,
    subject: SubjectKey = COMPONENT,
    name: str | None = None,
    field: str | None = None,
    version: str | None = None,
    properties: Mapping[str, str] = NO_PROPERTIES,
    scope: Mapping[str, str] | None = None,
    requester: Requester | None = None,
) -> AccessRequest:
    """Make a request by a component or provider."""
    kind = IdentityKind.COMPONENT if subject.startswith("M") else IdentityKind.PROVIDER
    return AccessRequest(
        caller=Caller(
            entity=Claims(kind, subject, issuer, "token-1", int(NOW), name=name),
            host=Claims(IdentityKind.HOST, HOST, OTHER_TEAM, "token-2", int(NOW)),
        ),
        location=SecretLocation(path, tuple(sorted((scope or {}).items()))),
        field=field,
        version=version,
        properties=MappingProxyType(dict(properties)),
        backend="infisical",
        now=NOW,
        requester=requester,
    )


HASH = "0123456789ABCDEF" * 4
FULL = f"""\
version: 1
issuers:
  team: {TEAM}
  other team: {OTHER_TEAM}
revoked:
  subjects: [{PROVIDER}]
  token_ids: [abc, 0017]
grants:
  - name: billing
    entities:
      - issuer: team
        subject: {COMPONENT}
      - issuer: other team
        subjects: [{COMPONENT}, {PROVIDER}]
        names: ["payments-*"]
        tags: [prod, no]
        kinds: [component, provider]
        min_rev: 3
        hashes: [{HASH}]
        max_token_age: 30d
    applications: [shop]
    hosts: [{HOST}]
    accounts: [HOSTS]
    users: [host-1]
    secrets:
      - keys: ["/payments/**", /a]
        backends: [infisical]
        fields: [user, ""]
        versions: latest
        properties: {{environment: [prod, 010], path: [""]}}
      - keys: [/b]
        fields: any
        versions: any
      - keys: [/c]
        versions: [3, "4"]
denials:
  - name: no masters
    keys: [/master/**]
  - name: no importers
    entities:
      - issuer: team
        names: [importer]
"""


def grants(
    entity: str = "subject: " + COMPONENT, secret: str = "keys: [/a]", more: str = ""
) -> str:
    """Write a file whose entity stands on lines 7 and 8, `more` on 9 and the secret on 11."""
    return (
        f"version: 1\nissuers:\n  team: {TEAM}\ngrants:\n  - name: billing\n    entities:\n"
        f"      - issuer: team\n        {entity}\n    {more or '# nothing'}\n    secrets:\n"
        f"      - {secret}\n"
    )


def denials(text: str) -> str:
    return f"version: 1\nissuers: {{team: {TEAM}}}\ngrants: []\ndenials:\n  - {text}\n"
