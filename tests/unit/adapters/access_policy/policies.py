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
