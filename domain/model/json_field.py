"""One member of a secret whose value is a JSON object."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from domain.model.errors import InvalidRequest, SecretNotFound, UpstreamError
from domain.model.secret import SecretValue
from domain.model.strict_json import MalformedJsonError, NumberText, parse_json

if TYPE_CHECKING:
    from typing import Any

    from domain.model.secret import Secret


def select_field(secret: Secret, field: str) -> Secret:
    """Return the secret narrowed to one member; text as it is, anything else as JSON text.

    Numbers keep the digits they were stored with. Text is decoded where the secret's
    `field_encoding` says so.

    Raises:
        InvalidRequest: the value is no JSON object.
        SecretNotFound: the object has no such member.
        UpstreamError: the member should be base64 and is not.
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
    if secret.field_encoding == "base64":
        return secret._replace(value=SecretValue(_decoded(member)), field_encoding=None)
    is_text = isinstance(member, str) and not isinstance(member, NumberText)
    return secret._replace(value=SecretValue(member if is_text else json_text(member)))


def _decoded(member: Any) -> bytes:
    if isinstance(member, str) and not isinstance(member, NumberText):
        # Tools wrap base64 into lines.
        text = member.replace("\r", "").replace("\n", "")
        try:
            payload = base64.b64decode(text, validate=True)
            if base64.b64encode(payload).decode("ascii") == text:
                return payload
        except (ValueError, binascii.Error):
            pass
    raise UpstreamError(
        "The field should be base64 and is not; store it encoded, or drop the encoding.",
        reason="encoding_broken",
    )


def json_text(value: Any) -> str:
    """Write a value that `parse_json` gave as JSON text, each `NumberText` in its own digits."""
    match value:
        case NumberText():
            return str(value)
        case dict():
            members = (f"{json_text(str(k))}:{json_text(v)}" for k, v in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(json_text(item) for item in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
