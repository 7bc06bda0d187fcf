"""The value of a request that a condition of a grant looks at, in words."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model.access import AccessRequest

    Value = Callable[[AccessRequest], object]


def _properties(request: AccessRequest) -> str:
    scope = request.location.scope if request.location else ()
    pairs = {**dict(scope), **(request.properties or {})}
    listed = (f"{name}={value}" for name, value in sorted(pairs.items()))
    return ", ".join(json.dumps(pair, ensure_ascii=False) for pair in listed) or "no property"


def _age(request: AccessRequest) -> str:
    return f"a token of {request.now - request.caller.entity.issued_at:.0f} seconds"


_VALUES: Final[Mapping[str, tuple[str, Value]]] = MappingProxyType(
    {
        "issuer_not_trusted": ("issuer", lambda r: r.caller.entity.issuer),
        "subject_revoked": ("subject", lambda r: r.caller.entity.subject),
        "token_revoked": ("token id", lambda r: r.caller.entity.token_id),
        "entity_issuer_differs": ("issuer", lambda r: r.caller.entity.issuer),
        "entity_subject_differs": ("subject", lambda r: r.caller.entity.subject),
        "entity_kind_differs": ("kind", lambda r: r.caller.entity.kind),
        "entity_name_differs": ("name", lambda r: r.caller.entity.name),
        "entity_tag_missing": ("tags", lambda r: ", ".join(r.caller.entity.tags) or None),
        "entity_revision_too_old": ("revision", lambda r: r.caller.entity.revision),
        "entity_hash_differs": ("hash", lambda r: r.caller.entity.artifact_hash),
        "entity_token_too_old": ("", _age),
        "account_differs": ("account", lambda r: r.requester and r.requester.account),
        "user_differs": ("user", lambda r: r.requester and r.requester.user),
        "application_differs": ("application", lambda r: r.caller.application),
        "host_differs": ("host", lambda r: r.caller.host.subject),
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
