"""The value of a request that a condition of a grant looks at, in words."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model.access import AccessRequest
    from domain.model.identity import Caller, Claims

    Value = Callable[[AccessRequest], object]


def _properties(request: AccessRequest) -> str:
    scope = request.location.scope if request.location else ()
    pairs = {**dict(scope), **(request.properties or {})}
    listed = (f"{name}={value}" for name, value in sorted(pairs.items()))
    return ", ".join(json.dumps(pair, ensure_ascii=False) for pair in listed) or "no property"


def _of_entity(read: Callable[[Claims], object]) -> Value:
    """Read what the entity's token says; a workload of wasmCloud 2 has none."""
    return lambda request: None if request.signed is None else read(request.signed.entity)


def _of_workload(read: Callable[[Workload], object]) -> Value:
    def of(request: AccessRequest) -> object:
        return read(request.caller) if isinstance(request.caller, Workload) else None

    return of


def _age(request: AccessRequest) -> str:
    signed = request.signed
    return "no token" if signed is None else f"a token of {_seconds(request, signed)} seconds"


def _seconds(request: AccessRequest, signed: Caller) -> str:
    return f"{request.now - signed.entity.issued_at:.0f}"


_VALUES: Final[Mapping[str, tuple[str, Value]]] = MappingProxyType(
    {
        "issuer_not_trusted": ("issuer", _of_entity(lambda e: e.issuer)),
        "subject_revoked": ("subject", _of_entity(lambda e: e.subject)),
        "token_revoked": ("token id", _of_entity(lambda e: e.token_id)),
        "entity_issuer_differs": ("issuer", _of_entity(lambda e: e.issuer)),
        "entity_subject_differs": ("subject", _of_entity(lambda e: e.subject)),
        "entity_kind_differs": ("kind", _of_entity(lambda e: e.kind)),
        "entity_name_differs": ("name", _of_entity(lambda e: e.name)),
        "entity_tag_missing": ("tags", _of_entity(lambda e: ", ".join(e.tags) or None)),
        "entity_revision_too_old": ("revision", _of_entity(lambda e: e.revision)),
        "entity_hash_differs": ("hash", _of_entity(lambda e: e.artifact_hash)),
        "entity_token_too_old": ("", _age),
        "workload_environment_differs": ("environment", _of_workload(lambda w: w.environment)),
        "workload_namespace_differs": ("namespace", _of_workload(lambda w: w.namespace)),
        "workload_name_differs": ("workload", _of_workload(lambda w: w.name)),
        "account_differs": ("account", lambda r: r.requester and r.requester.account),
        "user_differs": ("user", lambda r: r.requester and r.requester.user),
        "application_differs": ("application", lambda r: r.signed and r.signed.application),
        "host_differs": ("host", lambda r: r.signed and r.signed.host.subject),
        "backend_not_granted": ("backend", lambda r: r.backend),
        "key_not_granted": ("path", lambda r: r.location and r.location.path),
        "field_not_granted": ("field", lambda r: r.field),
        "version_not_granted": ("version", lambda r: r.version),
        "property_not_granted": ("", _properties),
    }
)
"""By reason code: what the value is called, and where it is."""


def value_judged(reason: str, request: AccessRequest) -> str | None:
    """Return such as `path "/a/B"`, or `no field`; None where a reason is about no value."""
    if reason not in _VALUES:
        return None
    name, read = _VALUES[reason]
    value = read(request)
    if not name:
        return str(value)
    # As JSON, so that a value cannot pass for a line of the explanation.
    return f"no {name}" if value is None else f"{name} {json.dumps(str(value), ensure_ascii=False)}"
