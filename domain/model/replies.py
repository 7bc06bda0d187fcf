"""The response JSON: exactly the shapes wasmCloud's client parses, both written and read."""

from __future__ import annotations

import json
from typing import assert_never

from domain.model.errors import (
    REQUEST_ERRORS,
    DecryptionFailed,
    EncryptionFailed,
    InvalidEntityJwt,
    InvalidHeaders,
    InvalidHostJwt,
    InvalidPayload,
    InvalidRequest,
    InvalidXKey,
    OtherError,
    PolicyError,
    RequestError,
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.secret import Secret, SecretValue
from domain.model.strict_json import MalformedJsonError, parse_json


def wire_name(error: RequestError) -> str:  # noqa: C901, PLR0911, PLR0912  one case an error
    """Return the error's name on the wire (`GetSecretError` of wasmcloud-secrets-types)."""
    match error:
        case SecretNotFound():
            return "SecretNotFound"
        case InvalidXKey():
            return "InvalidXKey"
        case EncryptionFailed():
            return "EncryptionError"
        case DecryptionFailed():
            return "DecryptionError"
        case Unauthorized():
            return "Unauthorized"
        case InvalidRequest():
            return "InvalidRequest"
        case InvalidPayload():
            return "InvalidPayload"
        case InvalidHeaders():
            return "InvalidHeaders"
        case InvalidEntityJwt():
            return "InvalidEntityJWT"
        case InvalidHostJwt():
            return "InvalidHostJWT"
        case UpstreamError():
            return "UpstreamError"
        case PolicyError():
            return "PolicyError"
        case OtherError():
            return "Other"
        case _:
            assert_never(error)


_WITH_TEXT = (InvalidEntityJwt, InvalidHostJwt, UpstreamError, PolicyError, OtherError)

_BY_WIRE_NAME = {wire_name(kind("")): kind for kind in REQUEST_ERRORS}


def write_error(error: RequestError, request_id: str) -> bytes:
    """Write a failure, to be sent in clear.

    Errors that carry a text get the error's advice and the request id to look up in the log; the
    protocol has no room for a text in the others.
    """
    name = wire_name(error)
    if isinstance(error, _WITH_TEXT):
        return json.dumps({"error": {name: f"{error.advice} (request {request_id})"}}).encode()
    return json.dumps({"error": name}).encode()


def write_secret(secret: Secret) -> bytes:
    """Write a secret, to be sealed. Exactly one of its two value members is set.

    Raises:
        UpstreamError: the text is no valid Unicode, which JSON cannot carry.
    """
    value = secret.value.reveal()
    members = {
        "version": secret.version,
        "string_secret": value if isinstance(value, str) else None,
        "binary_secret": None if isinstance(value, str) else list(value),
    }
    try:
        return json.dumps({"secret": members}, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        pass
    raise UpstreamError(
        "The stored value is no valid Unicode text; store it as base64 with encoding=base64.",
        reason="value_not_unicode",
    )


class MalformedReplyError(Exception):
    """The server's answer has none of the protocol's shapes. Carries nothing of it."""


def read_secret(plaintext: bytes) -> Secret:
    """Read an opened success.

    Raises:
        MalformedReplyError: it has another shape.
    """
    match _parse(plaintext):
        case {"secret": {"version": str(version), "string_secret": str(text), **rest}} if (
            rest.get("binary_secret") is None
        ):
            return Secret(version=version, value=SecretValue(text))
        case {"secret": {"version": str(version), "binary_secret": [*numbers], **rest}} if rest.get(
            "string_secret"
        ) is None and all(type(number) is int and 0 <= number <= 255 for number in numbers):
            return Secret(version=version, value=SecretValue(bytes(numbers)))
        case _:
            raise MalformedReplyError("the opened reply holds no secret")


def read_error(body: bytes) -> RequestError:
    """Read a failure; its text, if the protocol gives it one, becomes the advice.

    Raises:
        MalformedReplyError: it has another shape.
    """
    match _parse(body):
        case {"error": str(name)} if name in _BY_WIRE_NAME:
            return _BY_WIRE_NAME[name](f"The server answered {name}; its log says why.")
        case {"error": {**members}} if len(members) == 1:
            name, text = next(iter(members.items()))
            if name in _BY_WIRE_NAME and isinstance(text, str):
                return _BY_WIRE_NAME[name](text)
    raise MalformedReplyError("the reply is no error of this protocol")


def _parse(body: bytes) -> object:
    try:
        return parse_json(body)
    except MalformedJsonError:
        raise MalformedReplyError("the reply is no JSON") from None
