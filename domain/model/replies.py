"""The response JSON: exactly the shapes wasmCloud's client parses, both written and read."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.model.errors import (
    REQUEST_ERRORS,
    InvalidEntityJwt,
    InvalidHostJwt,
    OtherError,
    PolicyError,
    RequestError,
    UpstreamError,
)
from domain.model.secret import Secret, SecretValue
from domain.model.strict_json import MalformedJsonError, parse_json

_WITH_TEXT = (InvalidEntityJwt, InvalidHostJwt, UpstreamError, PolicyError, OtherError)

# What `JSONEncoder(ensure_ascii=False).encode` comes to for a text.
_quote = json.encoder.encode_basestring

_BY_WIRE_NAME = {kind.wire_name: kind for kind in REQUEST_ERRORS}


def write_error(error: RequestError, request_id: str) -> bytes:
    """Write a failure, to be sent in clear.

    Errors that carry a text get the error's advice and the request id to look up in the log; the
    protocol has no room for a text in the others.
    """
    name = error.wire_name
    if isinstance(error, _WITH_TEXT):
        return json.dumps({"error": {name: f"{error.advice} (request {request_id})"}}).encode()
    return json.dumps({"error": name}).encode()


def write_secret(secret: Secret) -> bytes:
    """Write a secret, to be sealed. Exactly one of its two value members is set.

    Raises:
        UpstreamError: the text is no valid Unicode, which JSON cannot carry.
    """
    value = secret.value.reveal()
    text, numbers = (_quote(value), "null") if isinstance(value, str) else ("null", list(value))
    try:
        return (
            f'{{"secret": {{"version": {_quote(secret.version)}, '
            f'"string_secret": {text}, "binary_secret": {numbers}}}}}'
        ).encode()
    except UnicodeEncodeError:
        pass
    raise UpstreamError(
        "The stored value is no valid Unicode text; store it as base64 with encoding=base64.",
        reason="value_not_unicode",
    )


class MalformedReplyError(Exception):
    """The server's answer has none of the protocol's shapes. Carries nothing of it."""


class _WireSecret(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    version: str
    string_secret: str | None = Field(default=None, repr=False)
    binary_secret: list[Annotated[int, Field(ge=0, le=0xFF)]] | None = Field(
        default=None, repr=False
    )


def read_secret(plaintext: bytes) -> Secret:
    """Read an opened success.

    Raises:
        MalformedReplyError: it has another shape, or not exactly one value.
    """
    reply = _parse(plaintext)
    with suppress(ValidationError):
        wire = _WireSecret.model_validate(reply.get("secret") if isinstance(reply, dict) else None)
        if wire.string_secret is not None and wire.binary_secret is None:
            return Secret(wire.version, SecretValue(wire.string_secret))
        if wire.binary_secret is not None and wire.string_secret is None:
            return Secret(wire.version, SecretValue(bytes(wire.binary_secret)))
    raise MalformedReplyError("the opened reply holds no secret with exactly one value")


def read_error(body: bytes) -> RequestError:
    """Read a failure; its text, if the protocol gives it one, becomes the advice.

    Raises:
        MalformedReplyError: it has another shape.
    """
    match _parse(body):
        case {"error": str(name)} if name in _BY_WIRE_NAME:
            return _BY_WIRE_NAME[name](
                "The protocol has no text for this error; the service's audit trail has the reason."
            )
        case {"error": {**members}} if len(members) == 1:
            key, text = next(iter(members.items()))
            if key in _BY_WIRE_NAME and isinstance(text, str):
                return _BY_WIRE_NAME[key](text)
    raise MalformedReplyError("the reply is no error of this protocol")


def _parse(body: bytes) -> object:
    try:
        return parse_json(body)
    except MalformedJsonError:
        raise MalformedReplyError("the reply is no JSON") from None
