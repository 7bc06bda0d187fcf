"""What a refusal means to the person who asked: likely causes, and where the reason stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bootstrap.cli.terminal import printable
from domain.model.errors import (
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
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.host_text import host_text

if TYPE_CHECKING:
    from domain.model.errors import RequestError, SecretsError

_ANOTHER_CLIENT: Final = (
    "this program and the service disagree on the protocol: compare their versions",
)
CAUSES: Final[dict[type[SecretsError], tuple[str, ...]]] = {
    SecretNotFound: (
        "nothing is stored under that key, in that folder or environment; keys are case-sensitive",
        "there is no such version, or no such field in the value",
        "the key was written a moment ago, and the cache still knows that it was not there",
    ),
    Unauthorized: (
        (
            "no rule of the access policy, or no trusted issuer, covers this identity and secret: "
            "see `wasmcloud-secrets policy explain`"
        ),
        "the store does not let the service read it",
        "it does not exist, and HIDE_MISSING_SECRETS keeps that from the caller",
    ),
    InvalidRequest: (
        "the version is not of the form that the store counts in",
        "a field was asked for, and the value is no JSON object",
        'the key has an empty part, "..", or a character that the store cannot hold',
    ),
    DecryptionFailed: (
        "another replica has another server xkey: give all of them the same SERVER_XKEY_SEED_FILE",
        "the service was started again with a new key: see `server_xkey.generated` in its log",
    ),
    InvalidEntityJwt: ("the entity's token has expired, was changed, or is no token",),
    InvalidHostJwt: ("the clocks of this machine and of the service differ",),
    PolicyError: ("a policy property is unknown to the store, or chooses what is not allowed",),
    UpstreamError: (
        "the secret store is down, slow, or limits calls; the text above says which",
        "it refuses the service's login, or keeps the value sealed with another encryption xkey",
    ),
    OtherError: ("overload, a full audit trail, or an answer too large; the text says which",),
    EncryptionFailed: _ANOTHER_CLIENT,
    InvalidPayload: _ANOTHER_CLIENT,
    InvalidHeaders: _ANOTHER_CLIENT,
    InvalidXKey: _ANOTHER_CLIENT,
}
"""The likeliest first."""

_REQUEST_ID: Final = re.compile(r"\(request ([a-z2-7]{8}-[0-9a-f]+)\)")


def explained(error: RequestError, *, host: str, made_up: bool) -> str:
    """Return what to tell about a refusal, in several lines.

    Args:
        host: the host's public key that the request named, by which the audit trail is searched.
        made_up: the entity was made up for this request.
    """
    text = printable(error.advice)
    found = _REQUEST_ID.search(text)
    name = error.wire_name
    lines = [f"{name}: {text}", f"A wasmCloud host says: {host_text(name, text)}"]
    causes = [cause for kind, given in CAUSES.items() if isinstance(error, kind) for cause in given]
    if made_up and isinstance(error, Unauthorized):
        causes.insert(
            0,
            "this identity was made up: ask as a real one by --entity-token-file, or by "
            "--entity-seed-file and --issuer-seed-file",
        )
    lines += ["Likely causes:", *(f"  - {cause}" for cause in causes)]
    lines += [
        "The exact reason, from the audit stream or from the service's log:",
        f"  wasmcloud-secrets audit why --since 10m --host {host}",
        f"  the record secret_request with request_id {found[1]}"
        if found
        else f"  the record secret_request with host {host}",
    ]
    return "\n".join(lines)
