"""From an answer that says 200 to a secret that may be served."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from adapters.infisical import reasons
from adapters.infisical.error_map import refusal
from adapters.infisical.protocol import request_id
from domain.model.errors import UpstreamError
from domain.model.secret import Secret, SecretValue

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamResponse
    from domain.model.reference import SecretLocation

HIDDEN_VALUE = "<hidden-by-infisical>"
"""What newer servers answer instead of a value that the identity may describe but not read."""

_REFERENCE = re.compile(r"\$\{[A-Za-z0-9_.@-]+(?:::[A-Za-z0-9_.-]+)?\}", re.ASCII)
"""`${NAME}`, `${env.folder.NAME}`, and into other projects `${@slug.env.NAME}` or
`${slug::env.NAME}`, in the characters that Infisical's own pattern takes. `$5`, `${`, `$$` and
`${HOME:-x}` are plain text to it."""

_BROKEN_UNICODE = re.compile("[\ud800-\udfff]")


def read_secret(
    answer: UpstreamResponse,
    location: SecretLocation,
    version: str | None,
    *,
    allow_unresolved: bool,
) -> Secret:
    """Check that the answer is the secret asked for, and take its value.

    Args:
        answer: an answer 200.
        version: the version asked for, without leading zeros; None for the latest.
        allow_unresolved: pass on values that still hold a reference.

    Raises:
        SecretNotFound: the server gave another version, as those before April 2025 and the rewrite
            in Go do.
        Unauthorized: the server hides the value.
        UpstreamError: the answer is malformed or another secret's, a reference is left in the
            value, or the value is not in the encoding it should be in.
    """
    secret = answer.member("secret")
    if not isinstance(secret, dict):
        raise refusal(reasons.ANSWER_UNREADABLE, answer)
    name, value, served = (secret.get(part) for part in ("secretKey", "secretValue", "version"))
    if secret.get("secretValueHidden") is True or value == HIDDEN_VALUE:
        raise refusal(reasons.VALUE_HIDDEN, answer)
    if (
        name != location.path.rpartition("/")[2]
        or not isinstance(value, str)
        or _BROKEN_UNICODE.search(value)
        or isinstance(served, bool)
        or not isinstance(served, int)
    ):
        raise refusal(reasons.ANSWER_UNREADABLE, answer)
    if version is not None and str(served) != version:
        raise refusal(reasons.VERSION_IGNORED, answer)
    if not allow_unresolved and _REFERENCE.search(value):
        raise UpstreamError(
            f"The value of {location.path} refers to a secret that is missing, empty or itself; "
            "mend the reference, or set INFISICAL_UNRESOLVED_REFERENCES=allow.",
            reason=reasons.REFERENCE_UNRESOLVED,
            upstream_request_id=request_id(answer),
        )
    binary = location.encoding == "base64" or says_base64(answer)
    payload = _decode(value, location, answer) if binary else value
    return Secret(str(served), SecretValue(payload), request_id(answer))


def lacks_metadata(answer: UpstreamResponse) -> bool:
    """Say whether the answer leaves the secret's metadata out.

    Servers of 2025 and later do so in every answer to a version (read in their code).
    """
    secret = answer.member("secret")
    return isinstance(secret, dict) and secret.get("secretMetadata") is None


def says_base64(answer: UpstreamResponse) -> bool:
    """Say whether the secret's metadata marks its value as base64."""
    metadata = answer.member("secret", "secretMetadata")
    return isinstance(metadata, list) and any(
        isinstance(entry, dict)
        and entry.get("key") == "encoding"
        and entry.get("value") == "base64"
        for entry in metadata
    )


def _decode(value: str, location: SecretLocation, answer: UpstreamResponse) -> bytes:
    # Tools wrap base64 into lines, and the server keeps one line break at the end.
    text = value.replace("\r", "").replace("\n", "")
    try:
        payload = base64.b64decode(text, validate=True)
        if base64.b64encode(payload).decode("ascii") == text:
            return payload
    except (ValueError, binascii.Error):
        pass
    raise UpstreamError(
        f"The value of {location.path} should be base64 and is not; store it encoded, or drop the "
        "encoding.",
        reason=reasons.ENCODING_BROKEN,
        upstream_request_id=request_id(answer),
    )
