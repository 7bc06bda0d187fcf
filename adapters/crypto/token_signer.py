"""Tokens signed as wascap signs them: for the command line, the demo and tests."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NoReturn, final

from nacl import bindings
from typing_extensions import override

from adapters.crypto import base64url
from adapters.crypto.ed25519_jws import ALGORITHM, SIGNATURE_BYTES
from adapters.crypto.nkeys_text import (
    RAW_KEY_BYTES,
    InvalidNKeyError,
    KeyKind,
    decode_public,
    decode_seed,
    encode_public,
    encode_seed,
)
from adapters.crypto.wascap_claims import IDENTITY_KINDS
from adapters.crypto.wascap_token import HEADER_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

WASCAP_REVISION = 3
"""The revision that current wascap writes into its claims (`WASCAP_INTERNAL_REVISION`)."""


@final
class SigningKey:
    """An Ed25519 key pair of one kind. Neither repr, copy nor pickle gives the secret half away."""

    __slots__ = ("__kind", "__public", "__secret", "__seed")

    def __init__(self, kind: KeyKind, seed: bytes) -> None:
        """Take the 32 secret bytes; `from_seed` and `generate` are the usual ways."""
        if kind is KeyKind.XKEY:
            raise InvalidNKeyError("An xkey (X) cannot sign; use a key of another kind.")
        if len(seed) != RAW_KEY_BYTES:
            raise InvalidNKeyError(f"A key has {RAW_KEY_BYTES} secret bytes; give a seed instead.")
        self.__kind = kind
        self.__seed = seed
        public, self.__secret = bindings.crypto_sign_seed_keypair(seed)
        self.__public = encode_public(kind, public)

    @classmethod
    def from_seed(cls, seed: str, kind: KeyKind | None = None) -> SigningKey:
        """Read a key from its seed (`SA…`, `SM…`, …), of the given kind or of any that can sign.

        Raises:
            InvalidNKeyError: the text is anything else.
        """
        return cls(*decode_seed(seed, kind))

    @classmethod
    def generate(cls, kind: KeyKind) -> SigningKey:
        """Draw a fresh key from the operating system's randomness.

        Raises:
            InvalidNKeyError: keys of this kind cannot sign.
        """
        return cls(kind, os.urandom(RAW_KEY_BYTES))

    @property
    def kind(self) -> KeyKind:
        """What the key stands for."""
        return self.__kind

    @property
    def public(self) -> str:
        """The public key in nkeys text form."""
        return self.__public

    def seed_text(self) -> str:
        """Return the seed: the secret itself, to be kept where only its owner reads."""
        return encode_seed(self.__kind, self.__seed)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of the message."""
        return bindings.crypto_sign(message, self.__secret)[:SIGNATURE_BYTES]

    @override
    def __repr__(self) -> str:
        return f"SigningKey({self.__public})"

    @override
    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key cannot be pickled or copied; pass the object itself")


def sign_token(
    issuer: SigningKey,
    subject: str,
    *,
    token_id: str,
    issued_at: int,
    expires_at: int | None = None,
    not_before: int | None = None,
    metadata: Mapping[str, object] | None = None,
) -> str:
    """Sign a token for a component, provider or host, with the members in wascap's order.

    Times are seconds since the epoch. The metadata is written as given under `wascap`; without any
    the member is left out.

    Raises:
        InvalidNKeyError: the issuer is no account key, or the subject no public key of a component,
            provider or host.
    """
    if issuer.kind is not KeyKind.ACCOUNT:
        raise InvalidNKeyError("Tokens are issued by accounts; sign with an account seed (SA…).")
    if decode_public(subject)[0] not in IDENTITY_KINDS:
        raise InvalidNKeyError(
            "A token is for a component (M…), provider (V…) or host (N…); give its public key."
        )
    claims = {
        "exp": expires_at,
        "jti": token_id,
        "iat": issued_at,
        "iss": issuer.public,
        "sub": subject,
        "nbf": not_before,
        "wascap": None if metadata is None else dict(metadata),
        "wascap_revision": WASCAP_REVISION,
    }
    return sign_segments(
        issuer,
        header={"typ": HEADER_TYPE, "alg": ALGORITHM},
        claims={name: value for name, value in claims.items() if value is not None},
    )


def sign_segments(
    key: SigningKey, *, header: Mapping[str, object], claims: Mapping[str, object]
) -> str:
    """Sign any header and claims, right or wrong; `sign_token` is the one that checks them."""
    message = f"{_segment(header)}.{_segment(claims)}"
    return f"{message}.{base64url.encode(key.sign(message.encode('ascii')))}"


def _segment(members: Mapping[str, object]) -> str:
    text = json.dumps(dict(members), separators=(",", ":"), ensure_ascii=False)
    return base64url.encode(text.encode("utf-8"))
