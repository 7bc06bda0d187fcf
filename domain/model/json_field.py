"""One member of a secret whose value is a JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.model.errors import InvalidRequest, SecretNotFound
from domain.model.secret import Secret, SecretValue
from domain.model.strict_json import MalformedJsonError, NumberText, parse_json

if TYPE_CHECKING:
    from typing import Any


def select_field(secret: Secret, field: str) -> Secret:
    """Return the secret narrowed to one member; text as it is, anything else as JSON text.

    Numbers keep the digits they were stored with.

    Raises:
        InvalidRequest: the value is no JSON object.
        SecretNotFound: the object has no such member.
    """
    try:
        value = parse_json(secret.value.reveal(), numbers_as_text=True)
    except MalformedJsonError:
        value = None
    if not isinstance(value, dict):
        raise InvalidRequest(
            "A field was asked for, but the value is no JSON object; drop the field.",
            reason="value_not_json_object",
        )
    if field not in value:
        raise SecretNotFound(
            "The value has no such field; check its spelling.", reason="field_not_found"
        )
    member = value[field]
    is_text = isinstance(member, str) and not isinstance(member, NumberText)
    return Secret(
        version=secret.version,
        value=SecretValue(member if is_text else _json_text(member)),
        upstream_request_id=secret.upstream_request_id,
        source=secret.source,
    )


def _json_text(value: Any) -> str:
    match value:
        case NumberText():
            return str(value)
        case dict():
            members = (f"{_json_text(str(k))}:{_json_text(v)}" for k, v in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(_json_text(item) for item in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
