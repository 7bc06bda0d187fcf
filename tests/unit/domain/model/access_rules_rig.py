"""A request, and rules with one grant."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from domain.model.access import AccessRequest
from domain.model.access_patterns import EntityPattern, SecretPattern
from domain.model.access_rules import AccessRules, Grant
from domain.model.identity import AccountKey, Caller, Claims, IdentityKind, SubjectKey
from domain.model.patterns import PathPattern, TextPattern
from domain.model.reference import SecretLocation
from domain.model.transport import Requester

TEAM, STRANGER = AccountKey("ATEAM"), AccountKey("ASTRANGER")
NOW = 1_800_000_000.0
ENTITY = Claims(
    IdentityKind.COMPONENT,
    SubjectKey("MBILLING"),
    TEAM,
    "token-1",
    int(NOW) - 3600,
    name="billing",
    revision=3,
    artifact_hash="ABCD",
    tags=("prod", "eu"),
)
HOST = Claims(IdentityKind.HOST, SubjectKey("NHOST"), STRANGER, "token-2", int(NOW))
REQUEST = AccessRequest(
    caller=Caller(ENTITY, HOST, "shop"),
    location=SecretLocation("/payments/API_KEY", (("environment", "prod"),)),
    field=None,
    version=None,
    properties=MappingProxyType({}),
    backend="infisical",
    now=NOW,
    requester=Requester("HOSTS", "host-user"),
)
ENTITIES = EntityPattern(TEAM)
SECRETS = SecretPattern((PathPattern("/payments/*"),))


def rules(grant: Grant, **more: object) -> AccessRules:
    return AccessRules(frozenset({TEAM}), (grant,), **more)  # type: ignore[arg-type]  # test data


def grant(entity: EntityPattern = ENTITIES, secrets: SecretPattern = SECRETS) -> Grant:
    return Grant("billing", (entity,), (secrets,))


def texts(*patterns: str) -> tuple[TextPattern, ...]:
    return tuple(TextPattern(pattern) for pattern in patterns)


def entity(**changes: object) -> AccessRequest:
    changed = replace(ENTITY, **changes)  # type: ignore[arg-type]  # test data
    return REQUEST._replace(caller=Caller(changed, HOST, "shop"))


def with_properties(**properties: str) -> AccessRequest:
    return REQUEST._replace(properties=properties)
